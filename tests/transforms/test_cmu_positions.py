import pytest
import torch

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms import cmu_positions

CMU26 = Skeleton.get("cmu26")


def joint(position, name):
    return position[..., CMU26.index(name), :]


def test_rest_pose():
    position = cmu_positions(torch.zeros(26, 3))
    left = [i for i, j in enumerate(CMU26.joints) if j.startswith("lf")]
    assert (position[left, 0] > 0).all()
    assert joint(position, "head")[1] > 0.4
    assert joint(position, "lfoot")[1] < -0.7
    assert joint(position, "ltoes")[2] > joint(position, "lfoot")[2]


def test_rest_pose_is_symmetric():
    position = cmu_positions(torch.zeros(26, 3))
    mirror = torch.tensor([-1.0, 1.0, 1.0])
    for name in ("femur", "foot", "humerus", "wrist", "hand"):
        torch.testing.assert_close(
            joint(position, f"l{name}") * mirror, joint(position, f"r{name}")
        )


def test_exponential_maps_store_minus_the_rotation():
    pose = torch.zeros(26, 3)
    pose[CMU26.index("lhumerus"), 2] = -torch.pi / 2
    position = cmu_positions(pose)
    up = joint(position, "lradius") - joint(position, "lhumerus")
    torch.testing.assert_close(
        up, torch.tensor([0.0, 0.275, 0.0]), rtol=0, atol=1e-5
    )


def test_leading_dimensions():
    torch.manual_seed(0)
    pose = torch.randn(2, 5, 26, 3)
    torch.testing.assert_close(cmu_positions(pose)[1, 3],
                               cmu_positions(pose[1, 3]))  # fmt: skip


@pytest.mark.parametrize("shape", [(25, 3), (26, 4), (3, 26)])
def test_wrong_shape(shape):
    with pytest.raises(ValueError, match=r"\[\*, 26, 3\], got \["):
        cmu_positions(torch.zeros(shape))
