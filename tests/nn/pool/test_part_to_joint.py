import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import JointToPart, PartToJoint


def test_copies_by_hand(arm):
    x = torch.tensor([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]])
    expected = torch.tensor([1.0, 2, 2, 3, 3, 4, 5, 5, 6, 6]).unsqueeze(1)
    torch.testing.assert_close(PartToJoint(arm)(x), expected)


@pytest.mark.parametrize("shape", [(2,), (3, 2), (2, 3, 2)])
@pytest.mark.parametrize("num_samples", [0, 1, 3])
def test_shape(arm, shape, num_samples):
    out = PartToJoint(arm)(torch.randn(num_samples * 3, *shape))
    assert out.shape == (num_samples * 5, *shape)


@pytest.mark.parametrize("name", ["ntu25", "kinetics18", "h36m20", "cmu26"])
def test_pooling_undoes_copying(name):
    skeleton = Skeleton.get(name)
    x = torch.randn(2 * skeleton.num_parts, 4, 3)
    copied = PartToJoint(skeleton)(x)
    torch.testing.assert_close(JointToPart(skeleton)(copied), x)


def test_nothing_is_saved_and_sizes_are_shown(arm):
    assert PartToJoint(arm).state_dict() == {}
    assert "3 -> 5" in repr(PartToJoint(arm))
