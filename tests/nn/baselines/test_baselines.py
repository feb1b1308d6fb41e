"""What all baselines have in common."""

import inspect
from itertools import pairwise

import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.inference import PoseModel, Stream
from symgnn_pyg.nn import SymbioticLoss, SymGNNOutput, baselines
from symgnn_pyg.nn.baselines import LinearRegression, ZeroVelocity

M, V, T, K, STEPS = 3, 5, 12, 4, 3
ALL = [getattr(baselines, name) for name in baselines.__all__]
SECOND = {kind: list(inspect.signature(kind).parameters)[1] for kind in ALL}
RECOGNISERS = [kind for kind in ALL if SECOND[kind] == "num_classes"]
PREDICTORS = [kind for kind in ALL if SECOND[kind] == "num_future"]
TRAINABLE = [k for k in ALL if k not in (ZeroVelocity, LinearRegression)]

each = pytest.mark.parametrize("kind", ALL)


def chain(num_joints):
    joints = [*map(str, range(num_joints))]
    return Skeleton(joints, [*pairwise(joints)])


# Blocks of the published code, which has biases before normalisations.
WIDTHS = (64,) * 4 + (128,) * 3 + (256,) * 3
TEN = {"channels": WIDTHS, "strides": (1,) * 4 + (2, 1, 1) * 2}
BIASES = 3 * sum(WIDTHS)
CTR = "1.46 million parameters for 120 classes"
GRU = "3.42 million parameters, 3,072 more than"


@pytest.mark.parametrize(
    ("kind", "skeleton", "size", "arguments", "told", "count"),
    [
        # The published code also normalises the joints of a second body.
        ("AGCN", "ntu25", 60, {}, "3.47 million", 3_469_510 - BIASES - 150),
        ("CTRGCN", "ntu25", 120, {}, CTR, None),
        ("CTRGCN", "ntu25", 60, {}, "1.45 million for 60", None),
        ("HCN", "ntu25", 60, {}, "2.65 million", 2_647_868),
        ("HCN", "ntu25", 60, {"num_frames": 32, "hidden_channels": 256},
         "0.78 million", 784_892),
        ("LTD", chain(22), 10, {}, "2.55 million", 2_547_580),
        ("LTD", chain(22), 25, {}, "2.56 million", None),
        ("LinearRegression", "cmu26", 25, {}, "3.04 million weights", None),
        ("ResidualGRU", chain(18), 25, {"num_classes": 15}, GRU,
         3_416_118 + 3_072),
        ("STGCN", "ntu25", 60, {}, "3.04 million", None),
        ("STGCN", "ntu25", 60, TEN, None, 3_098_832 - BIASES),
    ],
)  # fmt: skip
def test_number_of_weights(kind, skeleton, size, arguments, told, count):
    """As docstrings tell it, and as in published code."""
    kind = getattr(baselines, kind)
    net = kind(skeleton, size, **arguments)
    weights = [*net.parameters()] or [*net.buffers()]
    found = sum(weight.numel() for weight in weights)
    if told is not None:
        assert told.startswith(f"{found / 1e6:.2f} million")
        assert told in " ".join(inspect.getdoc(kind).split())
    if count is not None:
        assert found == count


def main(kind, out):
    return out.logits if kind in RECOGNISERS else out.future


def test_each_recognises_or_predicts():
    assert sorted(RECOGNISERS + PREDICTORS, key=ALL.index) == ALL


@pytest.mark.parametrize("dual", [False, True])
@pytest.mark.parametrize("layout", ["ntu25", "kinetics18", "h36m20", "cmu26"])
@each
def test_shapes(kind, layout, dual, tiny):
    skeleton = Skeleton.get(layout)
    skeleton = skeleton.dual() if dual else skeleton
    v = skeleton.num_joints
    out = tiny(kind, skeleton)(torch.randn(2 * v, T, 3))
    assert isinstance(out, SymGNNOutput)
    if kind in RECOGNISERS:
        assert out.logits.shape == (2, K)
        assert out.future is None
    else:
        assert out.future.shape == (2 * v, STEPS, 3)
        assert out.logits is None
    if kind is baselines.ASGCN:
        torch.testing.assert_close(out.actional.sum(-1), torch.ones(2, v))
    else:
        assert out.actional is None
    assert out.shared.size(0) in (2, 2 * v)


@each
def test_other_channels_and_lengths(kind, tiny):
    longer = {"num_observed": 17} if kind is baselines.ASGCN else {}
    out = tiny(kind, in_channels=2, **longer)(torch.randn(M * V, 17, 2))
    expected = (M, K) if kind in RECOGNISERS else (M * V, STEPS, 2)
    assert main(kind, out).shape == expected


@pytest.mark.parametrize("kind", TRAINABLE)
def test_gradients_reach_every_parameter(
    kind, tiny, x, settled, without_dropout
):
    net = without_dropout(settled(tiny(kind))).train()
    future = torch.randn(M * V, STEPS, 3, dtype=torch.double)
    SymbioticLoss()(net(x), torch.arange(M) % K, future).total.backward()
    for key, parameter in net.named_parameters():
        assert parameter.grad is not None, key
        # Batch normalisation and softmax cancel some biases.
        if not key.endswith("bias"):
            assert parameter.grad.abs().max() > 1e-12, key


@each
def test_empty_batch(kind, tiny):
    out = tiny(kind).eval()(torch.randn(0, T, 3))
    expected = (0, K) if kind in RECOGNISERS else (0, STEPS, 3)
    assert main(kind, out).shape == expected


@pytest.mark.parametrize("shape", [(V, 0, 3), (V, T, 2), (V, 3 * T)])
@each
def test_wrong_shape(kind, shape, tiny):
    with pytest.raises(ValueError, match=r"Expected 'x' of shape \[M \* 5, "):
        tiny(kind)(torch.randn(shape))


@each
def test_arrays(kind, tiny):
    with pytest.raises(TypeError, match=r"'x' to be a torch\.Tensor, got n"):
        tiny(kind)(torch.zeros(V, T, 3).numpy())


@each
def test_round_trip(kind, tiny, settled, tmp_path):
    net = settled(tiny(kind)).float()
    net.save_pretrained(tmp_path, dtype=torch.double, unit="m")
    again = kind.from_pretrained(tmp_path)
    x = torch.randn(M * V, T, 3)
    assert torch.equal(main(kind, again(x)), main(kind, net(x)))
    assert again.skeleton == net.skeleton
    assert again.about == {"unit": "m"}
    assert not again.training


@pytest.mark.parametrize("kind", TRAINABLE)
def test_answers_raw_motion(kind, tiny, settled, tmp_path):
    net = settled(tiny(kind)).float()
    PoseModel(net, num_observed=T).save_pretrained(tmp_path)
    model = PoseModel.from_pretrained(tmp_path)
    motion = torch.randn(T + 3, V, 3)
    answer = model(motion)
    found = Stream(model)
    for frame in motion:
        output = found.step(frame)
    out = net(motion[-T:].transpose(0, 1))
    if kind in RECOGNISERS:
        expected = out.logits.softmax(dim=-1)[0].tolist()
        assert [*answer.probabilities.values()] == pytest.approx(expected)
        assert output.probabilities.tolist() == pytest.approx(expected, 1e-4)
    else:
        torch.testing.assert_close(answer.future.transpose(0, 1), out.future)
        torch.testing.assert_close(output.future, out.future)


@each
def test_weights_belong_to_joints(kind, tiny, tmp_path):
    tiny(kind).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=f"of {kind.__name__} belong to the"):
        kind.from_pretrained(tmp_path, "ntu25")


@pytest.mark.parametrize("kind", RECOGNISERS)
def test_other_classes_than_saved(kind, tiny, tmp_path):
    net = tiny(kind)
    net.save_pretrained(tmp_path)
    with pytest.warns(UserWarning, match="new: classify.weight, classify.bias"):
        again = kind.from_pretrained(tmp_path, num_classes=K + 1)
    assert again(torch.randn(V, T, 3)).logits.shape == (1, K + 1)
    state = net.state_dict()
    for name, tensor in again.state_dict().items():
        if not name.startswith("classify"):
            assert torch.equal(tensor, state[name]), name


@pytest.mark.parametrize("kind", [baselines.LTD, baselines.ResidualGRU])
def test_the_limit_of_blocks_is_none_of_widths(kind, arm, tmp_path):
    kind(arm, 1, channels=101).save_pretrained(tmp_path)
    assert kind.from_pretrained(tmp_path).arguments["channels"] == 101


@each
def test_sizes_below_one(kind, arm):
    with pytest.raises(ValueError, match=f"'{SECOND[kind]}' must be at least"):
        kind(arm, 0)
    with pytest.raises(ValueError, match="'in_channels' must be at least 1"):
        kind(arm, 4, in_channels=0)


@each
def test_arguments_in_another_order(kind, arm):
    with pytest.raises(TypeError, match="'skeleton' to be a Skeleton, got int"):
        kind(4, arm)


@pytest.mark.parametrize("kind", RECOGNISERS)
def test_bodies_of_a_sample_are_recognised_together(kind, tiny, x, settled):
    net = settled(tiny(kind))
    one, two, three = x.split(V)
    bodies = torch.tensor([1, 2])
    logits = net(torch.cat([one, two, three]), bodies).logits
    assert logits.shape == (2, K)
    torch.testing.assert_close(logits[:1], net(one).logits)
    swapped = net(torch.cat([one, three, two]), bodies).logits
    torch.testing.assert_close(swapped, logits)
    assert not torch.allclose(logits[1:], net(two).logits)
    twice = net(torch.cat([two, two]), torch.tensor([2])).logits
    torch.testing.assert_close(twice, net(two).logits)


@pytest.mark.parametrize("kind", PREDICTORS)
def test_each_body_is_predicted_separately(kind, tiny, x, settled):
    net = settled(tiny(kind))
    together = net(x, torch.tensor([1, 2])).future
    torch.testing.assert_close(together, net(x).future)


@pytest.mark.parametrize("kind", TRAINABLE)
def test_learns(kind, tiny, without_dropout):
    net = without_dropout(tiny(kind))
    x, y = torch.randn(8 * V, T, 3), torch.arange(8) % K
    future = torch.randn(8 * V, STEPS, 3)
    criterion = SymbioticLoss()
    optimiser = torch.optim.Adam(net.parameters(), 1e-3)
    losses = []
    for _ in range(20):
        loss = criterion(net(x), y, future).total
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[-1] < 0.97 * losses[0]
