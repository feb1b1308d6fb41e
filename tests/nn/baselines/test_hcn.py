import pytest
import torch

from symgnn_pyg.nn.baselines import HCN

N, V, T = 3, 5, 12


def test_keeps_the_maximum_over_bodies(tiny, x, settled):
    net, seen = settled(tiny(HCN)), []
    net.hidden.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    net(x)
    net(x, torch.tensor([1, 2]))
    expected = torch.stack([seen[0][0], seen[0][1:].amax(dim=0)])
    torch.testing.assert_close(seen[1], expected)


def test_resizes_by_linear_interpolation(tiny, settled):
    """Straight lines are the same at any frame rate."""
    net = settled(tiny(HCN))
    start, step = torch.randn(2, N * V, 1, 3, dtype=torch.double)
    time = torch.arange(2 * T - 1).view(1, -1, 1) / 2
    motion = start + step * time
    expected = net(motion[:, ::2]).logits
    torch.testing.assert_close(net(motion).logits, expected)
    # A single frame is repeated.
    still = start.expand(-1, T, -1)
    torch.testing.assert_close(net(start).logits, net(still).logits)


def test_sees_position_and_velocity(tiny, x, settled):
    net = settled(tiny(HCN))
    assert not torch.allclose(net(x + 1).logits, net(x).logits)
    for parameter in net.position.point.parameters():
        parameter.data.zero_()
    torch.testing.assert_close(net(x + 1).logits, net(x).logits)
    assert not torch.allclose(net(x.flip(1)).logits, net(x).logits)
    for parameter in net.velocity.point.parameters():
        parameter.data.zero_()
    torch.testing.assert_close(net(x.flip(1)).logits, net(x).logits)


@pytest.mark.parametrize("num_frames", [0, 24])
def test_frames_that_cannot_be_halved(num_frames, tiny):
    with pytest.raises(ValueError, match=f"multiple of 16, got {num_frames}"):
        tiny(HCN, num_frames=num_frames)
