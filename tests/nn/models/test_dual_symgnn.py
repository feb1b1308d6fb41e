import pytest
import torch

from symgnn_pyg.data import bone_features
from symgnn_pyg.nn import DualSymGNN, SymbioticLoss, SymGNN
from tests.conftest import TINY

N, V, T, K, STEPS = 3, 5, 8, 4, 2


def make(skeleton, weight=0.5, **arguments):
    arguments = {**TINY, "num_classes": K, **arguments}
    return DualSymGNN(
        SymGNN(skeleton, **arguments),
        SymGNN(skeleton.dual(), **arguments),
        recognition_weight=weight,
        prediction_weight=weight,
    )


@pytest.fixture
def net(arm):
    return make(arm).eval().double()


@pytest.fixture
def x():
    return torch.randn(N * V, T, 3, dtype=torch.double)


def test_shapes(net, arm, x):
    out = net(x, bone_features(x, arm))
    assert out.logits.shape == (N, K)
    assert out.future.shape == (N * V, STEPS, 3)
    assert out.bone.future.shape == (N * 4, STEPS, 3)
    assert out.bone.actional.shape == (N, 4, 4)


def test_scores_are_fused_before_softmax(arm, x):
    net = make(arm, 0.3).eval().double()
    out = net(x, bone_features(x, arm))
    torch.testing.assert_close(
        out.logits, 0.3 * out.joint.logits + 0.7 * out.bone.logits
    )


def test_still_streams_predict_stillness_together(net, arm, x):
    """An untrained network predicts the last pose, along bones as well."""
    out = net(x, bone_features(x, arm))
    last = x[:, -1:].expand_as(out.future)
    torch.testing.assert_close(out.future, last, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_one_stream_alone(arm, x, weight):
    net = make(arm, weight).eval().double()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    out = net(x, bone_features(x, arm))
    if weight == 1.0:
        expected = out.joint
        torch.testing.assert_close(out.future, out.joint.future)
    else:
        expected = out.bone
        torch.testing.assert_close(
            bone_features(out.future, arm), out.bone.future
        )
    torch.testing.assert_close(out.logits, expected.logits)


def test_trained_together_every_parameter_learns(arm, idle):
    net = make(arm, dropout=0.0)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x, future = torch.randn(N * V, T, 3), torch.randn(N * V, STEPS, 3)
    y = torch.randint(K, (N,))
    loss = SymbioticLoss(0.5)
    out = net(x, bone_features(x, arm))
    total = loss(out.joint, y, future).total
    total = total + loss(out.bone, y, bone_features(future, arm)).total
    total.backward()
    assert all(p.grad is not None for p in net.parameters())
    assert idle(net) == []


def test_weight_is_fitted(net):
    y = torch.tensor([0, 1, 2, 3])
    right, wrong = torch.eye(4), 0.5 * torch.eye(4).roll(1, dims=0)
    assert net.fit_recognition_weight(right, wrong, y) == pytest.approx(0.5)
    assert net.fit_recognition_weight(wrong, 0.1 * right, y) == pytest.approx(
        0.16, abs=1e-6
    )
    assert float(net.recognition_weight) == pytest.approx(0.16, abs=1e-6)
    assert net.fit_recognition_weight(right, right, y) == pytest.approx(0.5)


def test_fitted_weight_is_the_best(net):
    y = torch.arange(40) % 4
    joint, bone = torch.randn(2, 40, 4) + torch.eye(4)[y]
    fitted = net.fit_recognition_weight(joint, bone, y)

    def right(weight):
        fused = weight * joint + (1 - weight) * bone
        return int((fused.argmax(dim=1) == y).sum())

    most = max(right(i / 100) for i in range(101))
    assert right(fitted) == most > max(right(0.0), right(1.0))


@pytest.mark.parametrize(
    ("joint", "bone", "y"),
    [
        ((6, 4), (6, 1), (6,)),
        ((6, 4), (1, 4), (6,)),
        ((6, 4), (6, 4), (6, 1)),
        ((6, 4), (6, 4), (1,)),
        ((0, 4), (0, 4), (0,)),
        ((4,), (4,), (4,)),
    ],
)
def test_scores_that_do_not_fit(net, joint, bone, y):
    with pytest.raises(ValueError, match=r"\[N, K\] and 'y' of shape \[N\]"):
        net.fit_recognition_weight(
            torch.zeros(joint), torch.zeros(bone), torch.zeros(y).long()
        )


@pytest.mark.parametrize("name", ["joint_logits", "bone_logits"])
def test_scores_that_are_not_finite(net, name):
    scores = {n: torch.zeros(2, 4) for n in ("joint_logits", "bone_logits")}
    scores[name][1, 2] = torch.nan
    with pytest.raises(ValueError, match=f"'{name}' must be finite"):
        net.fit_recognition_weight(**scores, y=torch.arange(2))


def test_bones_of_other_bodies(arm, x):
    """Scores of one body would be broadcast to those of three."""
    net = make(arm, num_future=0).eval().double()
    bones = bone_features(x, arm)
    with pytest.raises(ValueError, match=r"same M bodies, got \[4, 8, 3\]"):
        net(x, bones[: V - 1])
    with pytest.raises(ValueError, match="for the same M bodies"):
        net(bones, x)


def test_no_bodies(net, arm, x):
    out = net(x[:0], bone_features(x[:0], arm))
    assert out.logits.shape == (0, K)
    assert out.future.shape == (0, STEPS, 3)


def test_bodies(net, arm):
    x = torch.randn(3 * V, T, 3, dtype=torch.double)
    bones, bodies = bone_features(x, arm), torch.tensor([2, 1])
    out = net(x, bones, bodies)
    assert out.future.shape == (3 * V, STEPS, 3)
    apart = [
        net(x[: 2 * V], bones[: 2 * (V - 1)], bodies[:1]),
        net(x[2 * V :], bones[2 * (V - 1) :]),
    ]
    for field in ("logits", "future"):
        torch.testing.assert_close(
            getattr(out, field), torch.cat([getattr(a, field) for a in apart])
        )


@pytest.mark.parametrize("size", ["num_classes", "num_future"])
def test_without_a_head(arm, x, size):
    net = make(arm, **{size: 0}).eval().double()
    out = net(x, bone_features(x, arm))
    assert (out.logits is None) == (size == "num_classes")
    assert (out.future is None) == (size == "num_future")


def test_skeleton_that_is_not_the_dual(arm):
    joint = SymGNN(arm, K, **TINY)
    with pytest.raises(ValueError, match="'bone' network for the dual of"):
        DualSymGNN(joint, SymGNN(arm, K, **TINY))


def test_networks_of_other_sizes(arm):
    joint = SymGNN(arm, K, **TINY)
    with pytest.raises(ValueError, match=r"\(8, 3, 4, 2\) and \(8, 3, 5, 2\)"):
        DualSymGNN(joint, SymGNN(arm.dual(), K + 1, **TINY))


@pytest.mark.parametrize("weight", [1.5, -0.1, float("nan")])
def test_weight_outside(arm, weight):
    with pytest.raises(ValueError, match=f"'recognition_weight' .* {weight}"):
        make(arm, weight)


@pytest.mark.parametrize("size", ["num_classes", "num_future"])
def test_networks_with_other_heads(arm, size):
    joint = SymGNN(arm, **{**TINY, "num_classes": K, size: 0})
    with pytest.raises(
        ValueError, match="'joint' and 'bone' must have the same"
    ):
        DualSymGNN(joint, SymGNN(arm.dual(), K, **TINY))
