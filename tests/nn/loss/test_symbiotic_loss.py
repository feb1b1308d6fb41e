import math

import numpy as np
import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import SymbioticLoss, SymGNN, mgda_weight
from symgnn_pyg.nn.models.symgnn import SymGNNOutput

N, V, K = 3, 2, 4


def output(recognition=True, prediction=True, gradients=True):
    """Heads that are linear in what they share."""
    shared = torch.randn(N * V, 5).requires_grad_(gradients)
    logits = future = None
    if recognition:
        logits = shared.view(N, V, 5).mean(dim=1) @ torch.randn(5, K)
    if prediction:
        future = (shared @ torch.randn(5, 2 * 3)).view(N * V, 2, 3)
    return SymGNNOutput(logits, future, None, shared)


@pytest.fixture
def y():
    return torch.tensor([0, 3, 1])


@pytest.fixture
def future():
    return torch.randn(N * V, 2, 3)


@pytest.fixture
def arm_network():
    def made(dtype):
        torch.manual_seed(0)
        arm = Skeleton(["a", "b", "c"], [(1, 0), (2, 1)])
        net = SymGNN(
            arm,
            K,
            num_observed=4,
            num_future=2,
            channels=(4, 4),
            strides=(1, 1),
            fusion=(1,),
            hidden_channels=4,
            dropout=0.0,
        ).to(dtype)
        # An untrained head predicts stillness, which no features change.
        for weight in net.prediction_head.parameters():
            torch.nn.init.normal_(weight)
        x = torch.randn(N * 3, 4, 3, dtype=dtype)
        return net, x, torch.arange(N), torch.randn(N * 3, 2, 3, dtype=dtype)

    return made


def test_losses_by_hand():
    logits = torch.tensor([[0.0, 0.0], [math.log(3.0), 0.0]])
    predicted = torch.zeros(4, 1, 2)
    out = SymGNNOutput(logits, predicted, None, torch.zeros(4, 1))
    future = torch.arange(8.0).view(4, 1, 2) - 1
    loss = SymbioticLoss(0.25)(out, torch.tensor([0, 1]), future)
    recognition = (math.log(2) + math.log(4)) / 2
    prediction = (1 + 0 + 1 + 2 + 3 + 4 + 5 + 6) / 2
    assert float(loss.recognition_loss) == pytest.approx(recognition)
    assert float(loss.prediction_loss) == pytest.approx(prediction)
    assert float(loss.total) == pytest.approx(
        0.25 * recognition + 0.75 * prediction
    )


@pytest.mark.parametrize("alpha", [0, 0.3, 1, 1.0, np.float32(0.3)])
def test_fixed_weighting(y, future, alpha):
    loss = SymbioticLoss(alpha)(output(), y, future)
    assert float(loss.alpha) == pytest.approx(alpha)
    torch.testing.assert_close(
        loss.total,
        alpha * loss.recognition_loss + (1 - alpha) * loss.prediction_loss,
    )


NORMALIZATIONS = ["none", "l2", "loss", "loss+"]


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_mgda_weighting(y, future, normalization):
    out = output()
    module = SymbioticLoss(normalization=normalization)
    loss = module(out, y, future)
    losses = loss.recognition_loss, loss.prediction_loss
    grads = [
        torch.autograd.grad(task, out.shared, retain_graph=True)[0]
        for task in losses
    ]
    expected = mgda_weight(*grads, losses, normalization=normalization)
    torch.testing.assert_close(loss.alpha, expected)
    torch.testing.assert_close(module.alpha, loss.alpha)
    assert not loss.alpha.requires_grad
    value = loss.alpha * losses[0] + (1 - loss.alpha) * losses[1]
    torch.testing.assert_close(loss.total, value)
    (grad,) = torch.autograd.grad(loss.total, out.shared)
    torch.testing.assert_close(
        grad, loss.alpha * grads[0] + (1 - loss.alpha) * grads[1]
    )


@pytest.mark.parametrize("scale", [1.0, 0.0])
def test_each_head_learns_from_its_own_loss(y, future, scale):
    """Even a head whose task has no weight, as the other has no gradient."""
    shared = torch.randn(N * V, 5, requires_grad=True)
    recognise, predict = torch.nn.Linear(5, K), torch.nn.Linear(5, 2 * 3)
    torch.nn.init.constant_(recognise.weight, scale)
    out = SymGNNOutput(
        recognise(shared.view(N, V, 5).mean(dim=1)),
        predict(shared).view(N * V, 2, 3),
        None,
        shared,
    )
    loss = SymbioticLoss(normalization="none")(out, y, future)
    heads = [recognise.weight, predict.weight]
    expected = [
        torch.autograd.grad(task, weight, retain_graph=True)[0]
        for task, weight in zip(loss[1:3], heads, strict=True)
    ]
    found = torch.autograd.grad(loss.total, heads)
    torch.testing.assert_close(list(found), expected)
    assert found[1].any()


def test_actional_graphs_are_shared_too(arm_network, dtype):
    net, x, y, future = arm_network(dtype)
    out = net(x)
    loss = SymbioticLoss()(out, y, future)
    assert loss.total.dtype == dtype
    grads = [
        torch.autograd.grad(
            task,
            [out.shared, out.actional],
            retain_graph=True,
            allow_unused=True,
        )
        for task in loss[1:3]
    ]
    assert grads[0][1] is None
    flat = [grads[0][0].flatten(), torch.zeros_like(out.actional).flatten()]
    expected = mgda_weight(
        torch.cat(flat),
        torch.cat([grad.flatten() for grad in grads[1]]),
        normalization="l2",
    )
    torch.testing.assert_close(loss.alpha, expected.to(loss.alpha))
    # Beyond both, parameters get the weighted sum of both tasks' gradients.
    agim = list(net.actional_inference.parameters())
    alpha = loss.alpha.to(dtype)
    parts = [
        torch.autograd.grad(task, agim, retain_graph=True) for task in loss[1:3]
    ]
    found = torch.autograd.grad(loss.total, agim)
    for got, r, p in zip(found, *parts, strict=True):
        torch.testing.assert_close(
            got, alpha * r + (1 - alpha) * p, rtol=1e-4, atol=1e-4
        )


class Sink(torch.autograd.Function):
    """Copies outputs, as DistributedDataParallel does in some modes."""

    @staticmethod
    def forward(ctx, *tensors):
        ctx.set_materialize_grads(False)
        return tuple(t.clone() for t in tensors)

    @staticmethod
    def backward(ctx, *grads):
        return grads


def test_copies_of_all_outputs(y, future):
    out = output()
    copies = Sink.apply(out.logits, out.future, out.shared)
    copied = SymGNNOutput(copies[0], copies[1], None, copies[2])
    expected = SymbioticLoss()(out, y, future)
    found = SymbioticLoss()(copied, y, future)
    torch.testing.assert_close(found.alpha, expected.alpha)


def test_a_representation_outside_the_graph_is_refused(y, future):
    out = output()
    shared = torch.randn(N * V, 5, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match=r"'out.shared'.*fixed 'weighting'"):
        SymbioticLoss()(out._replace(shared=shared), y, future)


def test_mgda_leaves_parameter_gradients_alone(y, future):
    layer = torch.nn.Linear(5, 5)
    shared = layer(torch.randn(N * V, 5))
    out = SymGNNOutput(
        shared.view(N, V, 5).mean(dim=1),
        shared[:, None, :3].expand(-1, 2, -1),
        None,
        shared,
    )
    SymbioticLoss()(out, y, future)
    assert layer.weight.grad is None


def test_evaluation_keeps_alpha(y, future):
    module = SymbioticLoss()
    trained = module(output(), y, future).alpha.clone()
    assert float(trained) != 0.5
    module.eval()
    torch.testing.assert_close(module(output(), y, future).alpha, trained)
    module.train()
    with torch.no_grad():
        loss = module(output(gradients=False), y, future)
    torch.testing.assert_close(loss.alpha, trained)


def test_alpha_is_saved(y, future):
    module, other = SymbioticLoss(), SymbioticLoss()
    module(output(), y, future)
    other.load_state_dict(module.state_dict())
    torch.testing.assert_close(other.alpha, module.alpha)


def test_earlier_results_keep_their_alpha(y, future):
    module = SymbioticLoss()
    first = module(output(), y, future).alpha
    kept = first.clone()
    assert module(output(), y, future).alpha != kept
    torch.testing.assert_close(first, kept)


@pytest.mark.parametrize("weighting", ["mgda", 0.3])
def test_one_head(y, future, weighting):
    module = SymbioticLoss(weighting)
    loss = module(output(prediction=False), y)
    assert loss.prediction_loss is None
    assert float(loss.alpha) == 1
    torch.testing.assert_close(loss.total, loss.recognition_loss)
    loss = module(output(recognition=False), y, future)
    assert loss.recognition_loss is None
    assert float(loss.alpha) == 0
    torch.testing.assert_close(loss.total, loss.prediction_loss)


@pytest.mark.parametrize("weighting", ["equal", -0.1, 1.1, float("nan"), None])
def test_bad_weighting(weighting):
    with pytest.raises(ValueError, match=f"got {weighting!r}"):
        SymbioticLoss(weighting)


def test_future_of_the_wrong_shape(y, future):
    for wrong, got in ((future[:, :1], r"\[6, 1, 3\]"), (None, "None")):
        with pytest.raises(ValueError, match=rf"\[6, 2, 3\], got {got}"):
            SymbioticLoss()(output(), y, wrong)


def test_weighting_is_shown():
    assert "'mgda'" in repr(SymbioticLoss())
    assert "0.3" in repr(SymbioticLoss(0.3))


def test_sums_of_half_precision_do_not_overflow():
    predicted = torch.zeros(64 * 26, 25, 3, dtype=torch.half)
    out = SymGNNOutput(None, predicted, None, torch.zeros(1))
    loss = SymbioticLoss()(out, torch.zeros(64), predicted + 1)
    assert float(loss.prediction_loss) == 26 * 25 * 3


def test_weight_is_not_rounded_to_half_precision(y):
    shared = torch.randn(N * V, 5, dtype=torch.half).requires_grad_()
    heard = shared[:, 1:].view(N, V, 4).mean(dim=1)
    logits = heard @ (0.05 * torch.randn(4, K)).half()
    future = shared[:, :1, None].expand(-1, 2, 3)
    out = SymGNNOutput(logits, future, None, shared)
    loss = SymbioticLoss(normalization="none").half()(
        out, y, torch.zeros(N * V, 2, 3).half() - 9
    )
    assert loss.alpha.dtype == torch.float
    assert 0 < 1 - float(loss.alpha) < 2**-11


def test_samples_without_label_are_left_out(y, future):
    """Of recognition; their future is predicted."""
    out = output()
    y = y.clone()
    y[1] = -100
    loss = SymbioticLoss(0.5)(out, y, future)
    known = torch.tensor([0, 2])
    part = out._replace(logits=out.logits[known], future=None)
    expected = SymbioticLoss(0.5)(part, y[known])
    torch.testing.assert_close(loss.recognition_loss, expected.recognition_loss)
    whole = SymbioticLoss(0.5)(out, torch.zeros_like(y), future)
    assert torch.equal(loss.prediction_loss, whole.prediction_loss)


@pytest.mark.parametrize(
    "criterion",
    [None, torch.nn.CrossEntropyLoss(weight=torch.arange(1.0, 5.0)),
     torch.nn.CrossEntropyLoss(label_smoothing=0.1)],
)  # fmt: skip
def test_no_labels_at_all(future, criterion):
    out = output()
    made = SymbioticLoss(0.5, recognition_criterion=criterion)
    loss = made(out, torch.full((N,), -100), future)
    assert float(loss.recognition_loss) == 0.0
    torch.testing.assert_close(loss.total, 0.5 * loss.prediction_loss)
    (grad,) = torch.autograd.grad(loss.total, out.shared, retain_graph=True)
    (own,) = torch.autograd.grad(loss.prediction_loss, out.shared)
    torch.testing.assert_close(grad, 0.5 * own)


def test_class_probabilities(y, future):
    out = output()
    sure = SymbioticLoss(0.5)(out, torch.eye(K)[y], future)
    torch.testing.assert_close(sure, SymbioticLoss(0.5)(out, y, future))
    mixed = torch.full((N, K), 1 / K)
    loss = SymbioticLoss(0.5)(out, mixed, future)
    expected = -out.logits.log_softmax(dim=1).mean()
    torch.testing.assert_close(loss.recognition_loss, expected)


def test_several_classes(y, future):
    out = output()
    several = torch.tensor([[1.0, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 0]])
    made = SymbioticLoss(
        0.5, recognition_criterion=torch.nn.BCEWithLogitsLoss()
    )
    loss = made(out, several, future)
    p = out.logits.sigmoid()
    expected = -(several * p.log() + (1 - several) * (1 - p).log()).mean()
    torch.testing.assert_close(loss.recognition_loss, expected)


def test_class_weights(y, future):
    out = output()
    weight = torch.tensor([1.0, 2.0, 3.0, 4.0])
    criterion = torch.nn.CrossEntropyLoss(weight=weight)
    loss = SymbioticLoss(0.5, recognition_criterion=criterion)(out, y, future)
    each = -out.logits.log_softmax(dim=1)[torch.arange(N), y]
    expected = (weight[y] * each).sum() / weight[y].sum()
    torch.testing.assert_close(loss.recognition_loss, expected)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32])
def test_labels_of_any_integers(y, future, dtype):
    out = output()
    found = SymbioticLoss(0.5)(out, y.to(dtype), future)
    expected = SymbioticLoss(0.5)(out, y, future)
    assert torch.equal(found.total, expected.total)


def test_arrays_are_refused_with_the_cure(y, future):
    with pytest.raises(TypeError, match=r"'y' .* got ndarray; torch\.as_ten"):
        SymbioticLoss()(output(), y.numpy(), future)


@pytest.mark.parametrize("y", [None, torch.tensor(2), torch.ones(3, 1, 1)])
def test_labels_count_the_samples_of_prediction(y, future):
    with pytest.raises(
        ValueError, match=r"'y' of shape \[N\] or \[N, K\], got"
    ):
        SymbioticLoss()(output(recognition=False), y, future)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("ratio", [1.0, 300.0])
def test_gradients_of_half_precision_do_not_cancel(y, dtype, ratio):
    """However much larger one task's gradient is than the other's."""
    shared = torch.randn(N * V, 5, dtype=dtype, requires_grad=True)
    logits = shared.view(N, V, 5).mean(dim=1) @ torch.randn(5, K).to(dtype)
    future = (shared @ (ratio * torch.randn(5, 6)).to(dtype)).view(N * V, 2, 3)
    out = SymGNNOutput(logits, future, None, shared)
    loss = SymbioticLoss()(out, y, torch.zeros_like(future))
    (found,) = torch.autograd.grad(loss.total, shared, retain_graph=True)
    g_r, g_p = (
        torch.autograd.grad(task, shared, retain_graph=True)[0].double()
        for task in (loss.recognition_loss, loss.prediction_loss)
    )
    alpha = loss.alpha.double()
    expected = alpha * g_r + (1 - alpha) * g_p
    assert (found.double() - expected).norm() < 0.02 * expected.norm()


def gradients_of(net, loss):
    net.zero_grad()
    loss.backward(retain_graph=True)
    none = torch.zeros(())
    return torch.cat(
        [
            (none.expand_as(p) if p.grad is None else p.grad).flatten()
            for p in net.parameters()
        ]
    ).double()


@pytest.mark.parametrize(
    ("dtype", "rounding"),
    [(torch.float32, 1e-3), (torch.bfloat16, 0.25), (torch.float16, 0.05)],
)
@pytest.mark.parametrize("name", ["logits", "future", "actional", "shared"])
def test_gradients_of_other_losses_add_up(arm_network, dtype, rounding, name):
    """Wherever they are taken, in one pass or in another."""
    net, x, y, future = arm_network(torch.float)
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float):
        out = net(x)
        total = SymbioticLoss()(out, y, future).total
        other = getattr(out, name).float().square().sum()
    alone, rest = gradients_of(net, total), gradients_of(net, other)
    share = alone.norm() / rest.norm()
    both = gradients_of(net, total + share * other)
    assert (both - alone - share * rest).norm() < rounding * alone.norm()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_learns_what_others_do(arm_network, dtype):
    """Inputs and hooks of weights included."""
    found = []
    for enabled in (False, True):
        net, x, y, future = arm_network(torch.float)
        net.register_parameter("x", torch.nn.Parameter(x))
        weight = net.recognition_head.classify.weight
        weight.register_hook(lambda grad: 2 * grad)
        with torch.autocast("cpu", dtype, enabled=enabled):
            total = SymbioticLoss(normalization="none")(net(net.x), y, future)
        gradients_of(net, total.total)
        found.append([p.grad.double() for p in (net.x, weight)])
    for expected, got in zip(*found, strict=True):
        assert (got - expected).norm() < 0.1 * expected.norm()


def test_the_first_scale_of_a_gradient_scaler(arm_network):
    """It exceeds what half precision holds."""
    net, x, y, future = arm_network(torch.float)
    loss = SymbioticLoss(
        prediction_criterion=lambda predicted, true: (
            1e-3 * (predicted - true).square().mean()
        )
    )
    with torch.autocast("cpu", torch.float16):
        total = loss(net(x), y, future).total
    (65536.0 * total).backward()
    grads = [p.grad for p in net.actional_inference.parameters()]
    assert all(grad.isfinite().all() for grad in grads)
