import json

import pytest
import torch

from symgnn_pyg.errors import DataError
from symgnn_pyg.nn.baselines import LTD, ZeroVelocity
from symgnn_pyg.nn.baselines.ltd import dct_matrix

N, V, T, STEPS = 3, 5, 12, 3


@pytest.mark.parametrize("num_frames", [1, 2, 20, 35])
def test_dct_is_orthonormal(num_frames):
    matrix = dct_matrix(num_frames)
    eye = torch.eye(num_frames, dtype=torch.double)
    torch.testing.assert_close(matrix @ matrix.t(), eye)
    trajectory = torch.randn(num_frames, 4, dtype=torch.double)
    back = matrix.t() @ (matrix @ trajectory)
    torch.testing.assert_close(back, trajectory)


def test_dct_by_hand():
    root = 0.5**0.5
    expected = torch.tensor([[root, root], [root, -root]], dtype=torch.double)
    torch.testing.assert_close(dct_matrix(2), expected)
    still = dct_matrix(9) @ torch.ones(9, dtype=torch.double)
    expected = 3 * torch.eye(9, dtype=torch.double)[0]
    torch.testing.assert_close(still, expected)


def test_adding_nothing_is_zero_velocity(tiny, x, settled):
    net = settled(tiny(LTD))
    moving = net(x).future
    net.last.weight.data.zero_()
    net.last.bias.data.zero_()
    still = tiny(ZeroVelocity)(x).future
    torch.testing.assert_close(net(x).future, still, atol=1e-5, rtol=0)
    assert not torch.allclose(moving, still, atol=1e-2)


def test_adds_a_trajectory(tiny, x, settled):
    """An offset of one coefficient adds one wave of the transform."""
    net = settled(tiny(LTD))
    net.last.weight.data.zero_()
    net.last.bias.data.zero_()
    net.last.bias.data[2] = 1.0
    expected = x[:, -1:] + dct_matrix(10 + STEPS)[2, 10:].view(1, -1, 1)
    torch.testing.assert_close(net(x).future, expected, atol=1e-5, rtol=0)


def test_blocks_are_residual(tiny, x, settled):
    net, first = settled(tiny(LTD)), []
    net.first.register_forward_hook(lambda *args: first.append(args[2]))
    for layer in net.layers:
        layer.norm.weight.data.zero_()
        layer.norm.bias.data.zero_()
    torch.testing.assert_close(net(x).shared, first[0].view(N * V, -1))


def test_sees_only_recent_frames(tiny, x, settled):
    net = settled(tiny(LTD))
    older, seen = x.clone(), x.clone()
    older[:, : T - 10] += 1
    seen[:, T - 10] += 1
    torch.testing.assert_close(net(older).future, net(x).future)
    assert not torch.allclose(net(seen).future, net(x).future)


def test_ties_every_joint_to_every_other(tiny, x, settled):
    net = settled(tiny(LTD))
    moved = x.clone()
    moved[0, -5] += 1
    change = (net(moved).future - net(x).future).abs().amax(dim=(1, 2))
    assert (change[:V] > 1e-6).all()
    assert change[V:].max() < 1e-12


def test_needs_its_recent_frames(tiny):
    with pytest.raises(ValueError, match="with T >= 10 frames, got"):
        tiny(LTD)(torch.randn(V, 9, 3))
    with pytest.raises(ValueError, match="'num_recent' must be at least 1"):
        tiny(LTD, num_recent=0)


def test_a_file_cannot_ask_for_a_huge_transform(tiny, tmp_path):
    tiny(LTD).save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    config["arguments"]["num_future"] = 10**9
    path.write_text(json.dumps(config))
    with pytest.raises(DataError, match="'num_future' must be at most 5000"):
        LTD.from_pretrained(tmp_path)
