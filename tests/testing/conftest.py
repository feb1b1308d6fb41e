import pytest
from torch.nn import Linear, Module

from symgnn_pyg import Skeleton

# Its numbers of joints, bones and parts differ, and a link closes a ring.
BODY = Skeleton(
    joints=["hip", "neck", "head", "elbow", "hand", "knee", "foot"],
    bones=[(1, 0), (2, 1), (3, 1), (4, 3), (5, 0), (6, 5)],
    parts={"trunk": [0, 1, 2], "arm": [3, 4], "leg": [5, 6]},
    links=[(4, 6)],
    name="body",
)


@pytest.fixture
def body():
    return BODY


@pytest.fixture
def layer():
    """Makes a layer of a function of itself and its argument."""

    class Made(Module):
        def __init__(self, function):
            super().__init__()
            self.lin = Linear(3, 4)
            self.function = function

        def forward(self, x):
            return self.function(self, x)

    return Made
