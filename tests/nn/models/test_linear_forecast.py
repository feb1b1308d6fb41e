import pytest
import torch

from symgnn_pyg.nn import LinearForecast

T, C, K, STEPS = 7, 3, 4, 5


def test_starts_without_motion(arm, dtype):
    x = torch.randn(3 * arm.num_joints, T, C, dtype=dtype)
    forecast = LinearForecast(arm, C, K, num_future=STEPS).to(dtype)
    assert forecast(x).shape == (x.size(0), STEPS, C)
    assert not forecast(x).any()


def test_by_the_formula(arm, dtype):
    v = arm.num_joints
    x = torch.randn(2 * v, T, C, dtype=dtype)
    forecast = LinearForecast(arm, C, K, num_future=STEPS).to(dtype)
    torch.nn.init.normal_(forecast.weight)
    found = forecast(x)
    for row, joint in enumerate([*range(v), *range(v)]):
        expected = torch.zeros(STEPS, C, dtype=dtype)
        for k in range(K - 1):
            at = T - K + 1 + k
            step = 10 * (x[row, at] - x[row, at - 1])  # [C]
            expected += (forecast.weight[joint, :, k] * step[:, None]).t()
        torch.testing.assert_close(found[row], expected)


def test_learns_any_linear_motion(arm):
    """A constant velocity is continued exactly by some weights."""
    v = arm.num_joints
    speed = torch.randn(4 * v, 1, C, dtype=torch.double)
    time = torch.arange(-T + 1.0, STEPS + 1, dtype=torch.double)[:, None]
    motion = speed * time
    forecast = LinearForecast(arm, C, K, num_future=STEPS).double()
    with torch.no_grad():
        forecast.weight[:, :, -1] = torch.arange(1.0, STEPS + 1) / 10
    torch.testing.assert_close(forecast(motion[:, :T]), motion[:, T:])


def test_joints_have_weights_of_their_own(arm):
    forecast = LinearForecast(arm, C, K, num_future=STEPS)
    x = torch.randn(arm.num_joints, T, C)
    forecast(x)[1].sum().backward()
    assert forecast.weight.grad[1].any()
    assert not forecast.weight.grad[[0, 2]].any()


def test_too_few_frames(arm):
    with pytest.raises(ValueError, match="at least 2 frames, got 1"):
        LinearForecast(arm, C, 1, num_future=STEPS)


def test_too_few_observed_frames(arm):
    forecast = LinearForecast(arm, C, K, num_future=STEPS)
    with pytest.raises(ValueError, match="at least 4 frames, got"):
        forecast(torch.randn(arm.num_joints, K - 1, C))
