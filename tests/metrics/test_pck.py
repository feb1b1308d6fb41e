import pytest
import torch

from symgnn_pyg.metrics import PCK


def body(num_frames):
    """A body whose box has the diagonal 5."""
    target = torch.zeros(4, num_frames, 3)
    target[1, :, 0] = 3.0
    target[2, :, 1] = 4.0
    return target


def test_by_hand():
    target = body(2)
    prediction = target.clone()
    prediction[0, 0, 2] = 0.24
    prediction[1, 0, 2] = 0.26
    prediction[:, 1, 2] += 1.0
    metric = PCK(4, 2)
    metric.update(prediction, target)
    assert metric.compute().tolist() == [0.75, 0.0]


@pytest.mark.parametrize(("threshold", "share"), [(0.1, 1.0), (0.01, 0.75)])
def test_threshold(threshold, share):
    target = body(1)
    prediction = target.clone()
    prediction[3, 0, 0] += 0.3
    metric = PCK(4, 1, threshold=threshold)
    metric.update(prediction, target)
    assert metric.compute().tolist() == [share]


def test_scale_does_not_matter():
    target = torch.randn(20, 3, 3)
    prediction = target + 0.2 * torch.randn(20, 3, 3)
    shares = []
    for scale in (1.0, 8.0):
        metric = PCK(20, 3)
        metric.update(scale * prediction, scale * target)
        shares.append(metric.compute())
    assert torch.equal(*shares)
    assert 0 < shares[0].mean() < 1


def test_body_of_size_zero():
    """With all joints in one place, only the exact prediction is correct."""
    target = torch.ones(8, 1, 3)
    prediction = target.clone()
    prediction[5] += 1e-6
    metric = PCK(4, 1, num_groups=2)
    metric.update(prediction, target, torch.tensor([0, 1]))
    assert metric.compute_groups().tolist() == [[1.0], [0.75]]


def test_threshold_of_zero():
    metric = PCK(4, 1, threshold=0.0)
    metric.update(body(1), body(1))
    assert metric.compute().tolist() == [1.0]


def test_negative_threshold():
    with pytest.raises(ValueError, match="'threshold' must not be negative"):
        PCK(4, 1, threshold=-0.1)
