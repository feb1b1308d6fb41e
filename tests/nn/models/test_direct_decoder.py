import pytest
import torch

from symgnn_pyg.nn import DirectDecoder

T, C, D, K, STEPS = 6, 3, 8, 4, 5


def decoder(skeleton, **kwargs):
    return DirectDecoder(
        D,
        C,
        skeleton,
        num_recent=4,
        num_future=STEPS,
        num_classes=K,
        hidden_channels=16,
        **kwargs,
    )


def inputs(skeleton, samples=2, dtype=torch.double):
    v = skeleton.num_joints
    return (
        torch.randn(samples * v, T, C, dtype=dtype),
        torch.randn(samples * v, D, dtype=dtype),
        torch.randn(samples, v, v, dtype=dtype).softmax(dim=-1),
        torch.randn(samples, K, dtype=dtype).softmax(dim=-1),
    )


def trained(net):
    torch.nn.init.normal_(net.lin_out.weight)
    torch.nn.init.normal_(net.bias)
    return net


def test_starts_without_motion(arm, dtype):
    net = decoder(arm).to(dtype)
    out = net(*inputs(arm, dtype=dtype))
    assert out.shape == (2 * arm.num_joints, STEPS, C)
    assert not out.any()
    trained(net)
    net.reset_parameters()
    assert not net(*inputs(arm, dtype=dtype)).any()


def test_only_recent_frames_matter(arm):
    net = trained(decoder(arm)).double()
    x, *rest = inputs(arm)
    older = x.clone()
    older[:, : T - 4] += 1
    torch.testing.assert_close(net(older, *rest), net(x, *rest))
    for frame in range(T - 4, T):
        recent = x.clone()
        recent[:, frame] += 1
        assert not torch.allclose(net(recent, *rest), net(x, *rest))


def test_all_inputs_matter(arm):
    net = trained(decoder(arm)).double()
    given = inputs(arm)
    others = inputs(arm)
    for i in range(4):
        changed = [*given]
        changed[i] = others[i]
        assert not torch.allclose(net(*changed), net(*given))


def test_joints_hear_each_other_through_graphs_only(arm):
    x, *rest = inputs(arm, samples=1)
    moved = x.clone()
    moved[0] += torch.randn(T, C)
    for graphs in (True, False):
        net = trained(
            decoder(arm, use_structural=graphs, use_actional=graphs)
        ).double()
        change = (net(moved, *rest) - net(x, *rest)).abs().amax(dim=(1, 2))
        assert bool(change[1:].any()) == graphs


def test_too_few_frames(arm):
    x, *others = inputs(arm, dtype=torch.float)
    with pytest.raises(ValueError, match="at least 4 frames, got"):
        decoder(arm)(x[:, :3], *others)
    with pytest.raises(ValueError, match="'num_recent' must be at least 1"):
        DirectDecoder(D, C, arm, num_recent=0, num_future=STEPS)
