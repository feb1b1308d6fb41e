import pytest
import torch

from symgnn_pyg.ops import interpolate_frames, stretch_frames


def test_by_hand():
    motion = torch.tensor([[0.0, 10.0], [1.0, 20.0], [5.0, 0.0]])
    times = torch.tensor([0.0, 0.25, 1.5, 2.0])
    expected = torch.tensor(
        [[0.0, 10.0], [0.25, 12.5], [3.0, 10.0], [5.0, 0.0]]
    )
    assert torch.equal(interpolate_frames(motion, times), expected)


def test_integers_are_exact(dtype):
    motion = torch.randn(2, 3, 7, 4, dtype=dtype)
    motion[..., 3, :] = torch.inf  # Neighbours take no part.
    for times in (torch.arange(7.0), torch.arange(7), torch.arange(7.0)[None]):
        found = interpolate_frames(motion, times)
        keep = [0, 1, 2, 4, 5, 6]
        assert torch.equal(found[..., keep, :], motion[..., keep, :])
        assert found.dtype == dtype


def test_linear_motion_is_exact(dtype):
    frame = torch.arange(5, dtype=dtype)
    motion = torch.stack([frame, 3 - 2 * frame], dim=-1)
    times = torch.linspace(0, 4, 23, dtype=torch.double)
    found = interpolate_frames(motion, times)
    expected = torch.stack([times, 3 - 2 * times], dim=-1).to(dtype)
    torch.testing.assert_close(found, expected)


def test_times_of_each_motion():
    motion = torch.randn(2, 3, 6, 4)
    times = 5 * torch.rand(2, 1, 9)
    found = interpolate_frames(motion, times)
    assert found.shape == (2, 3, 9, 4)
    for b in range(2):
        for v in range(3):
            torch.testing.assert_close(
                found[b, v], interpolate_frames(motion[b, v], times[b, 0])
            )


def test_one_motion_at_many_times():
    motion = torch.arange(4.0).unsqueeze(-1)
    found = interpolate_frames(motion, torch.tensor([[0.5], [2.5]]))
    assert found.tolist() == [[[0.5]], [[2.5]]]


def test_no_times():
    assert interpolate_frames(torch.zeros(2, 3, 1), torch.zeros(0)).shape == (
        2, 0, 1,
    )  # fmt: skip


def test_gradient():
    motion = torch.randn(2, 4, 3, dtype=torch.double, requires_grad=True)
    times = torch.tensor([0.0, 0.3, 2.9, 3.0], dtype=torch.double)
    assert torch.autograd.gradcheck(
        lambda m: interpolate_frames(m, times), motion
    )


@pytest.mark.parametrize("time", [-0.1, 2.1, torch.nan])
def test_times_outside(time):
    with pytest.raises(ValueError, match=r"'times'.*from 0 to 2.*3 frames"):
        interpolate_frames(torch.zeros(3, 1), torch.tensor([1.0, time]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_stretched(dtype):
    ramp = torch.arange(5, dtype=dtype).view(1, 5, 1)
    for num_frames in (1, 3, 5, 9):
        found = stretch_frames(ramp, num_frames)
        expected = torch.linspace(0, 4, num_frames, dtype=dtype)
        torch.testing.assert_close(found[0, :, 0], expected)
    assert torch.equal(stretch_frames(ramp, 5), ramp)
    assert torch.equal(stretch_frames(ramp[:, :1], 3), torch.zeros(1, 3, 1))
