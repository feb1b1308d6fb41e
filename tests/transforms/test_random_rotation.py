import math

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch

from symgnn_pyg.data import SkeletonData
from symgnn_pyg.transforms import RandomRotation


@pytest.fixture
def points(body):
    """The three axes and the origin."""
    x = torch.cat([torch.eye(3), torch.zeros(1, 3)])
    return SkeletonData(x=x.unsqueeze(1).double(), skeleton=body)


def rotations(degrees, points, number=500):
    torch.manual_seed(0)
    batch = Batch.from_data_list([points] * number)
    x = RandomRotation(degrees)(batch).x.view(number, 4, 3)
    return x[:, :3].mT  # Columns are where the axes go.


def test_rotations(points):
    matrix = rotations(180, points)
    eye = torch.eye(3).double().expand_as(matrix)
    torch.testing.assert_close(matrix @ matrix.mT, eye)
    torch.testing.assert_close(matrix.det(), eye[:, 0, 0])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_one_axis(axis, points):
    degrees = [0.0, 0.0, 0.0]
    degrees[axis] = 30.0
    matrix = rotations(degrees, points)
    unit = torch.eye(3)[axis].double()
    torch.testing.assert_close(matrix[:, axis], unit.expand(500, 3))
    torch.testing.assert_close(matrix[:, :, axis], unit.expand(500, 3))
    one, two = [(axis + i) % 3 for i in (1, 2)]
    angle = torch.atan2(matrix[:, two, one], matrix[:, one, one]).rad2deg()
    assert angle.abs().max() <= 30 + 1e-9
    assert angle.min() < -29
    assert angle.max() > 29
    # Evenly spread: the mean of |angle| is 15 within three standard errors.
    assert abs(angle.abs().mean() - 15) < 3 * 30 / math.sqrt(12 * 500)


def test_x_then_y_then_z(points):
    """So the turn about x does not show in where the x axis goes."""
    matrix = rotations((40, 0, 40), points)
    gamma = torch.atan2(matrix[:, 1, 0], matrix[:, 0, 0])
    expected = torch.stack([gamma.cos(), gamma.sin(), 0 * gamma], dim=-1)
    torch.testing.assert_close(matrix[:, :, 0], expected)


def test_score_stays(body):
    x = torch.rand(4, 2, 3)
    done = RandomRotation((0, 0, 90))(SkeletonData(x=x, skeleton=body))
    torch.testing.assert_close(done.x[..., 2], x[..., 2])
    torch.testing.assert_close(
        done.x[..., :2].norm(dim=-1), x[..., :2].norm(dim=-1)
    )


def test_numbers_of_numpy():
    assert RandomRotation(np.float32(3)).degrees == (3, 3, 3)
