import numpy as np
import pytest
import torch

from symgnn_pyg.nn import PoseLoss, SymbioticLoss
from symgnn_pyg.nn.models.symgnn import SymGNNOutput

M, V, T = 3, 4, 5


@pytest.fixture
def poses():
    return torch.randn(2, M * V, T, 3, dtype=torch.double)


def test_by_hand():
    # Two bodies of two joints, off by (3, 4) at the first frame alone.
    gap = torch.zeros(4, 2, 1)
    gap[:2, 0, 0] = torch.tensor([3.0, 4.0])
    # Weights 1 and 1/2, times 4/3 so that their mean is 1; two frames and two
    # bodies. Between both frames the velocities are off by (3, 4), too.
    for velocity, expected in ((0.0, 5 / 4 * 4 / 3), (2.0, 5 / 4 * 4 / 3 + 5)):
        loss = PoseLoss(torch.ones(2, 1), decay=1.0, velocity=velocity)
        found = float(loss(gap, torch.zeros(4, 2, 1)))
        assert found == pytest.approx(expected)


def test_without_decay_all_frames_count_alike(poses):
    predicted, true = poses
    distance = (predicted - true).view(M, V, T, 3).norm(dim=(1, 3))
    loss = PoseLoss(torch.ones(V, 1), decay=0.0, velocity=0.0)
    torch.testing.assert_close(loss(predicted, true), distance.mean())


def test_a_constant_offset_has_no_error_of_velocity(poses):
    moved = poses[0] + torch.randn(M * V, 1, 3, dtype=torch.double)
    found = [
        PoseLoss(torch.ones(V, 1), velocity=velocity)(poses[0], moved)
        for velocity in (0.0, 10.0)
    ]
    torch.testing.assert_close(*found)


def test_scale_takes_poses_to_the_unit_of_the_data(poses):
    std = torch.rand(V, 3, dtype=torch.double) + 0.5
    mean = torch.randn(V, 3, dtype=torch.double)
    normalised = (poses.unflatten(1, (M, V)) - mean[:, None]) / std[:, None]
    torch.testing.assert_close(
        PoseLoss(std)(*normalised.flatten(1, 2)),
        PoseLoss(torch.ones(V, 3))(*poses),
    )


def test_a_perfect_prediction_has_finite_gradients(poses):
    predicted = poses[0].requires_grad_()
    loss = PoseLoss(torch.ones(V, 1))(predicted, poses[0].detach())
    (grad,) = torch.autograd.grad(loss, predicted)
    assert loss == 0
    assert not grad.any()


def test_half_precision_does_not_overflow():
    predicted = torch.full((M * V, T, 3), 300.0, dtype=torch.half)
    loss = PoseLoss(torch.ones(V, 1))(predicted, -predicted)
    assert loss.dtype == torch.float
    assert float(loss) == pytest.approx(600 * (V * 3) ** 0.5)


def test_within_the_symbiotic_loss(poses):
    predicted, true = poses
    loss = PoseLoss(torch.ones(V, 1))
    out = SymGNNOutput(None, predicted, None, torch.zeros(1))
    found = SymbioticLoss(prediction_criterion=loss)(out, torch.zeros(M), true)
    torch.testing.assert_close(found.prediction_loss, loss(predicted, true))
    torch.testing.assert_close(found.total, found.prediction_loss)


def test_its_scale_is_no_weight():
    assert not PoseLoss(torch.ones(V, 1)).state_dict()
    assert "decay=0.5" in repr(PoseLoss(torch.ones(V, 1), decay=0.5))


def test_arrays(poses):
    scale = np.arange(1.0, V + 1).reshape(V, 1)
    expected = PoseLoss(torch.from_numpy(scale))(*poses)
    for given in (scale, scale.tolist()):
        torch.testing.assert_close(PoseLoss(given)(*poses), expected)


def test_errors(poses):
    with pytest.raises(ValueError, match=r"\[V, C\], got \[12\]"):
        PoseLoss(torch.ones(12))
    for scale in (torch.ones(5, 1), torch.ones(V, 2)):
        with pytest.raises(ValueError, match=r"\[12, 5, 3\] and \[12, 5, 3\]"):
            PoseLoss(scale)(*poses)
    predicted, true = poses
    for wrong in (predicted[:, :1], predicted[..., :1], predicted[:V]):
        with pytest.raises(ValueError, match="of the same shape"):
            PoseLoss(torch.ones(V, 1))(wrong, true)
