import pytest
import torch

from symgnn_pyg.inference import CapturedNetwork, Stream

V, T = 5, 6


def equal(found, expected):
    pairs = zip(found, expected, strict=True)
    return all(a is b is None or torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_equals_the_network_for_all_shapes(model, mode):
    captured = CapturedNetwork(model)
    bodies = torch.tensor([2, 1])
    with mode():
        for x, *more in [
            (torch.randn(2 * V, T, 3),),
            (torch.randn(3 * V, T, 3),),
            (torch.randn(3 * V, T, 3), bodies),
            (torch.randn(2 * V, T, 3), None),
        ]:
            found = captured(x, *more)
            assert type(found) is type(model(x))
            assert equal(found, model(x, *more))


def test_missing_heads_stay_missing(arm, build):
    model = build(arm, num_future=0)
    x = torch.randn(V, T, 3)
    with torch.no_grad():
        assert CapturedNetwork(model)(x).future is None
        assert equal(CapturedNetwork(model)(x), model(x))


def test_a_single_tensor_is_returned_as_one():
    layer = torch.nn.Linear(3, 2).eval()
    x = torch.randn(5, 3)
    with torch.no_grad():
        assert torch.equal(CapturedNetwork(layer)(x), layer(x))


class Replay:
    """Stands for a CUDA graph: repeats the work in the same memory."""

    def __init__(self, capture):
        self.capture = capture

    def replay(self):
        again = self.capture.network(*self.capture.inputs)
        for kept, new in zip(self.capture.outputs, again, strict=True):
            kept.copy_(new)


@torch.no_grad()
def test_replays_in_the_same_memory_and_returns_copies(model):
    captured = CapturedNetwork(model)
    one, other = torch.randn(2, 2 * V, T, 3)
    captured(one)
    (capture,) = captured._captures.values()
    capture.graph = Replay(capture)
    first, kept = captured(one), one.clone()
    second = captured(other)
    assert equal(second, model(other))
    assert equal(first, model(one))
    assert torch.equal(one, kept)
    # What was captured reads the weights where they are.
    model.recognition_head.reset_parameters()
    assert equal(captured(one), model(one))


@torch.no_grad()
def test_moved_weights_are_captured_again(model):
    captured = CapturedNetwork(model)
    captured(torch.randn(V, T, 3))
    captured.double()
    x = torch.randn(V, T, 3).double()
    assert equal(captured(x), model(x))
    assert len(captured._captures) == 2


def test_gradients_and_training_are_those_of_the_network(model):
    captured = CapturedNetwork(model)
    x = torch.randn(V, T, 3, requires_grad=True)
    found, expected = (
        torch.autograd.grad(net(x).future.sum(), x)[0]
        for net in (captured, model)
    )
    assert torch.equal(found, expected)
    captured.train()
    with torch.no_grad():
        captured(x)
    assert not captured._captures


def test_streams_agree(model):
    plain, captured = Stream(model), Stream(model, cuda_graph=True)
    for frame in torch.randn(8, V, 3):
        assert equal(captured.step(frame), plain.step(frame))
    scene = torch.randn(2, V, 3)
    plain.reset(), captured.reset()
    assert equal(captured.step(scene), plain.step(scene))
