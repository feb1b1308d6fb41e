import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.transforms import PartDropout


@pytest.fixture
def limbs():
    return Skeleton(
        ["hip", "neck", "elbow", "hand"],
        [(1, 0), (2, 1), (3, 2)],
        parts={"trunk": [0, 1], "arm": [2, 3]},
    )


def test_all_joints_of_a_part_are_lost(sample, limbs):
    data = sample(bodies=1000, skeleton=limbs)
    done = PartDropout(0.3)(data)
    mask = done.mask.view(1000, 4, 6)
    assert torch.equal(mask[:, 0], mask[:, 1])
    assert torch.equal(mask[:, 2], mask[:, 3])
    trunk, arm = mask[:, 0, 0], mask[:, 2, 0]
    # The standard error is sqrt(0.3 * 0.7 / 1000) = 0.015.
    for seen in (trunk, arm):
        assert abs(1 - seen.double().mean() - 0.3) < 0.06
    assert (trunk != arm).any()
    assert done.x[~done.mask].eq(0).all()
    assert torch.equal(done.x[done.mask], data.x[done.mask])
