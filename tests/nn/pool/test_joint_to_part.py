import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import JointToPart


def test_means_by_hand(arm):
    x = torch.tensor([[1.0], [2.0], [4.0], [6.0], [10.0]])
    both = torch.cat([x, -x])
    expected = torch.tensor([[1.0], [3.0], [8.0], [-1.0], [-3.0], [-8.0]])
    torch.testing.assert_close(JointToPart(arm)(both), expected)


@pytest.mark.parametrize("shape", [(2,), (3, 2), (2, 3, 2), (0, 2)])
@pytest.mark.parametrize("num_samples", [0, 1, 3])
def test_shape(arm, shape, num_samples):
    out = JointToPart(arm)(torch.randn(num_samples * 5, *shape))
    assert out.shape == (num_samples * 3, *shape)


def test_mean_of_all_joints(dtype):
    """Exact in float64, too, though layers are made in float32."""
    skeleton = Skeleton(["a", "b", "c"], [("b", "a"), ("c", "a")])
    x = torch.randn(3, 4, dtype=dtype)
    torch.testing.assert_close(
        JointToPart(skeleton).to(dtype)(x),
        x.mean(dim=0, keepdim=True),
        rtol=0,
        atol=4 * torch.finfo(dtype).eps,
    )


def test_nothing_is_saved_and_sizes_are_shown(arm):
    assert JointToPart(arm).state_dict() == {}
    assert "5 -> 3" in repr(JointToPart(arm))
