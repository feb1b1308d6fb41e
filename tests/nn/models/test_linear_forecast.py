import pytest
import torch

from symgnn_pyg.nn import LinearForecast

T, C, R, STEPS = 7, 3, 4, 5


def make(skeleton, num_recent=R):
    return LinearForecast(C, skeleton, num_recent=num_recent, num_future=STEPS)


def test_starts_without_motion(arm, dtype):
    x = torch.randn(3 * arm.num_joints, T, C, dtype=dtype)
    forecast = make(arm).to(dtype)
    assert forecast(x).shape == (x.size(0), STEPS, C)
    assert not forecast(x).any()


def test_by_the_formula(arm, dtype):
    v = arm.num_joints
    x = torch.randn(2 * v, T, C, dtype=dtype)
    forecast = make(arm).to(dtype)
    torch.nn.init.normal_(forecast.weight)
    found = forecast(x)
    for row, joint in enumerate([*range(v), *range(v)]):
        expected = torch.zeros(STEPS, C, dtype=dtype)
        for r in range(R - 1):
            at = T - R + 1 + r
            step = 10 * (x[row, at] - x[row, at - 1])  # [C]
            expected += (forecast.weight[joint, :, r] * step[:, None]).t()
        torch.testing.assert_close(found[row], expected)


def test_learns_any_linear_motion(arm):
    """A constant velocity is continued exactly by some weights."""
    v = arm.num_joints
    speed = torch.randn(4 * v, 1, C, dtype=torch.double)
    time = torch.arange(-T + 1.0, STEPS + 1, dtype=torch.double)[:, None]
    motion = speed * time
    forecast = make(arm).double()
    with torch.no_grad():
        forecast.weight[:, :, -1] = torch.arange(1.0, STEPS + 1) / 10
    torch.testing.assert_close(forecast(motion[:, :T]), motion[:, T:])


def test_joints_have_weights_of_their_own(arm):
    forecast = make(arm)
    x = torch.randn(arm.num_joints, T, C)
    forecast(x)[1].sum().backward()
    assert forecast.weight.grad[1].any()
    assert not forecast.weight.grad[[0, 2]].any()


def test_too_few_frames(arm):
    x = torch.randn(arm.num_joints, R - 1, C)
    with pytest.raises(ValueError, match=r"at least 'num_recent' = 4 .*, 3, 3"):
        make(arm)(x)
    with pytest.raises(ValueError, match=r"'num_recent' .* least 2, got 1"):
        make(arm, num_recent=1)
