import torch

from symgnn_pyg.metrics import MPJPE


def test_by_hand():
    target = torch.zeros(4, 2, 3)  # Two samples of two joints.
    prediction = target.clone()
    prediction[0, 0] = torch.tensor([3.0, 4.0, 0.0])
    prediction[3, 1] = torch.tensor([0.0, 0.0, 2.0])
    metric = MPJPE(2, 2)
    metric.update(prediction, target)
    # One of four distances is 5, then one of four is 2.
    assert metric.compute().tolist() == [1.25, 0.5]


def test_plane():
    metric = MPJPE(1, 1)
    metric.update(torch.tensor([[[3.0, 4.0]]]), torch.zeros(1, 1, 2))
    assert metric.compute().tolist() == [5.0]


def test_groups():
    target = torch.zeros(3, 1, 3)
    prediction = torch.tensor([1.0, 3.0, 10.0]).view(3, 1, 1) * torch.eye(3)[0]
    metric = MPJPE(1, 1, num_groups=3)
    metric.update(prediction, target, torch.tensor([0, 0, 2]))
    assert metric.compute().tolist() == [(2 + 10) / 2]
