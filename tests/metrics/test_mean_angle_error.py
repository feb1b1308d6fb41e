import copy
import pickle

import numpy as np
import pytest
import roma
import torch

from symgnn_pyg.metrics import MeanAngleError
from symgnn_pyg.skeleton import convert_rotation


def rodrigues(vector):
    """An exponential map as a rotation matrix, as the field writes it."""
    theta = np.linalg.norm(vector)
    axis = vector / (theta + np.finfo(np.float64).eps)
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return (
        np.eye(3) + np.sin(theta) * cross + (1 - np.cos(theta)) * cross @ cross
    )


def euler(matrix):
    """The field's Euler angles of a rotation matrix."""
    if abs(matrix[0, 2]) == 1:
        turn = np.arctan2(matrix[0, 1], matrix[0, 2])
        return np.array([turn, -np.pi / 2 * matrix[0, 2], 0.0])
    second = -np.arcsin(matrix[0, 2])
    cosine = np.cos(second)
    return np.array(
        [
            np.arctan2(matrix[1, 2] / cosine, matrix[2, 2] / cosine),
            second,
            np.arctan2(matrix[0, 1] / cosine, matrix[0, 0] / cosine),
        ]
    )


def plain_error(prediction, target):
    """The error of one sample [V, T, 3] at each frame, joint by joint."""
    angles = [
        np.stack(
            [
                np.concatenate([euler(rodrigues(v)) for v in joints])
                for joints in poses.transpose(1, 0, 2)
            ]
        )
        for poses in (prediction, target)
    ]
    used = angles[1].std(axis=0) > 1e-4
    return np.linalg.norm((angles[0] - angles[1])[:, used], axis=1)


def poses(seed, num_samples=3, num_joints=5, num_future=4):
    random = np.random.default_rng(seed)
    return random.normal(0, 1.2, (num_samples, num_joints, num_future, 3))


def flat(array):
    return torch.from_numpy(array.reshape(-1, *array.shape[2:]))


def test_against_the_protocol():
    prediction, target = poses(0), poses(1)
    target[:, 2] = target[:, 2, :1]  # A joint that stays still.
    target[1, 0] = 0.0
    metric = MeanAngleError(5, 4)
    metric.update(flat(prediction), flat(target))
    expected = np.mean(
        [plain_error(p, t) for p, t in zip(prediction, target, strict=True)],
        axis=0,
    )
    np.testing.assert_allclose(metric.compute().numpy(), expected, atol=1e-9)


def test_angles_are_not_wrapped():
    angle = torch.tensor([3.1, -3.1, 3.1]).double()
    target = torch.zeros(1, 3, 3).double()
    target[0, :, 2] = angle
    metric = MeanAngleError(1, 3)
    metric.update(-target, target)
    torch.testing.assert_close(metric.compute(), torch.full((3,), 6.2).double())


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("twist", [0.0, 0.7])
def test_gimbal_lock(sign, twist):
    """At the pole rounding decides between angles of 2 pi apart, so both
    codes are given the same matrix."""
    vector = torch.tensor([twist, sign * torch.pi / 2, twist]).double()
    angles = convert_rotation(vector, "exponential_map", "euler")
    assert angles.isfinite().all()
    matrix = roma.rotvec_to_rotmat(vector).numpy()
    np.testing.assert_allclose(matrix, rodrigues(vector.numpy()), atol=1e-12)
    np.testing.assert_allclose(angles.numpy(), euler(matrix), atol=1e-12)


def test_zero_rotation():
    angles = convert_rotation(torch.zeros(2, 3), "exponential_map", "euler")
    assert angles.tolist() == [[0.0] * 3] * 2


def test_groups_count_once_and_empty_ones_not_at_all():
    prediction, target = poses(2), poses(3)
    metric = MeanAngleError(5, 4, num_groups=4)
    metric.update(flat(prediction), flat(target), torch.tensor([2, 0, 2]))
    plain = [plain_error(p, t) for p, t in zip(prediction, target, strict=True)]
    groups = [plain[1], (plain[0] + plain[2]) / 2]
    found = metric.compute_groups()
    np.testing.assert_allclose(found[[0, 2]].numpy(), groups, atol=1e-9)
    assert found[[1, 3]].isnan().all()
    np.testing.assert_allclose(
        metric.compute().numpy(), np.mean(groups, axis=0), atol=1e-9
    )


@pytest.mark.parametrize(
    "twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_twins_keep_the_state(twin):
    metric = MeanAngleError(5, 4)
    metric.update(flat(poses(0)), flat(poses(1)))
    again = twin(metric)
    assert torch.equal(again.compute(), metric.compute())
    again.update(flat(poses(2)), flat(poses(3)))
    assert not torch.equal(again.compute(), metric.compute())


def test_one_frame_has_no_angles_that_move():
    with pytest.raises(
        ValueError, match=r"'num_future' must be at least 2.*got 1"
    ):
        MeanAngleError(5, 1)
