import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.data import SkeletonData

BODY = Skeleton(
    ["hip", "neck", "left hand", "right hand"],
    [("neck", "hip"), ("left hand", "neck"), ("right hand", "neck")],
    name="small",
)


@pytest.fixture(scope="session")
def body():
    """A small skeleton with two sides."""
    return BODY


@pytest.fixture
def sample():
    """Makes samples of random motion."""

    def make(
        bodies=1,
        num_observed=6,
        num_future=4,
        skeleton=BODY,
        y=0,
        dtype=None,
        seed=0,
    ):
        random = torch.Generator().manual_seed(seed)
        size = bodies * skeleton.num_joints, num_observed + num_future, 3
        motion = torch.randn(size, generator=random, dtype=dtype)
        return SkeletonData(
            x=motion[:, :num_observed].contiguous(),
            future=motion[:, num_observed:].contiguous(),
            y=y,
            skeleton=skeleton,
        )

    return make


@pytest.fixture
def clip():
    """Makes samples in which each feature is the time of its frame."""

    def make(num_observed=6, num_future=4, dtype=torch.float, **kwargs):
        time = torch.arange(num_observed + num_future, dtype=dtype)
        x = time.view(1, -1, 1).repeat(4, 1, 3)
        return SkeletonData(
            x=x[:, :num_observed],
            future=x[:, num_observed:],
            skeleton=BODY,
            **kwargs,
        )

    return make
