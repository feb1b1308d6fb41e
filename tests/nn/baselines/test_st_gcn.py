import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.nn.baselines import STGCN
from symgnn_pyg.nn.baselines.st_gcn import spatial_partitions

V = 5


def test_channels_and_strides_of_different_length(arm):
    with pytest.raises(ValueError, match=r"one entry per block, got 2 and 1"):
        STGCN(arm, 4, channels=(4, 8), strides=(1,))
    with pytest.raises(ValueError, match=r"one entry per block, got 0 and 0"):
        STGCN(arm, 4, channels=(), strides=())


def test_spatial_partitions(arm):
    own, inward, outward = spatial_partitions(arm)
    half, third, fourth = 1 / 2, 1 / 3, 1 / 4
    degree = torch.tensor([half, third, fourth, third, third]).double()
    torch.testing.assert_close(own, torch.diag(degree))
    expected = torch.zeros(V, V, dtype=torch.double)
    expected[1, 0], expected[2, 1] = third, fourth
    # Wrist and hand are equally far from the chest, and neighbours.
    expected[3, 2] = expected[4, 2] = expected[3, 4] = expected[4, 3] = third
    torch.testing.assert_close(inward, expected)
    expected = torch.zeros(V, V, dtype=torch.double)
    expected[0, 1], expected[1, 2] = half, third
    expected[2, 3] = expected[2, 4] = fourth
    torch.testing.assert_close(outward, expected)


@pytest.mark.parametrize("name", ["ntu25", "kinetics18", "h36m20", "cmu26"])
def test_partitions_share_out_the_mean_over_neighbours(name):
    skeleton = Skeleton.get(name)
    torch.testing.assert_close(
        spatial_partitions(skeleton).sum(dim=0),
        skeleton.hop_powers(1, torch.double)[0],
    )
    further = spatial_partitions(skeleton, 3)
    assert further.shape == (7, skeleton.num_joints, skeleton.num_joints)
    assert ((further > 0).sum(dim=0) <= 1).all()
    within = skeleton.hop_powers(3)[-1] > 0
    assert torch.equal(further.sum(dim=0) > 0, within)
    ones = torch.ones(skeleton.num_joints, dtype=torch.double)
    torch.testing.assert_close(further.sum(dim=(0, 2)), ones)


def test_a_centre_of_its_own_turns_the_partitions(arm):
    hand = Skeleton(arm.joints, arm.bones, links=arm.links, centre="hand")
    _, inward, outward = spatial_partitions(hand)
    assert inward[0, 1] > 0
    assert outward[1, 0] > 0
