import copy

import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.inference import fold
from symgnn_pyg.inference.fold import FoldedBlock
from symgnn_pyg.nn import DualSymGNN

V, T = 5, 6
VARIANTS = {
    "default": {},
    "no structural": {"use_structural": False},
    "no actional": {"use_actional": False},
    "no part": {"use_parts": False},
    "part alone": {"use_structural": False, "use_actional": False},
    "actional alone": {"use_structural": False, "use_parts": False},
    "lambda": {"lambda_": 0.1},
    "no fusion": {"fusion": ()},
    "same width": {
        "channels": (4, 4), "strides": (1, 1), "fusion": (),
    },
    "wide kernel": {"kernel_size": 9, "strides": (1, 3)},
    "pointwise": {"kernel_size": 1},
    "first stride": {"strides": (2, 2)},
    "two channels": {"in_channels": 2},
    "no recognition": {"num_classes": 0},
    "no prediction": {"num_future": 0},
}  # fmt: skip


@pytest.mark.parametrize("num_samples", [0, 1, 3])
@pytest.mark.parametrize("name", list(VARIANTS))
def test_computes_the_same(arm, build, name, num_samples):
    model = build(arm, **VARIANTS[name]).double()
    x = torch.randn(num_samples * V, T, model.in_channels, dtype=torch.double)
    torch.testing.assert_close(tuple(fold(model)(x)), tuple(model(x)))


@pytest.mark.parametrize("name", ["ntu25", "cmu26"])
def test_light_and_full(build, name):
    skeleton = Skeleton.get(name)
    model = build(
        skeleton, num_observed=12, channels=(8,) * 6,
        strides=(1, 1, 2, 1, 2, 1), fusion=(2, 4), num_hops=4, kernel_size=9,
    )  # fmt: skip
    x = torch.randn(2 * skeleton.num_joints, 12, 3)
    for folded, plain in zip(fold(model)(x), model(x), strict=True):
        torch.testing.assert_close(folded, plain, rtol=1e-4, atol=1e-5)


def test_dual(arm, build):
    dual = DualSymGNN(build(arm), build(arm.dual())).double().eval()
    x = torch.randn(2 * V, T, 3, dtype=torch.double)
    bone_x = torch.randn(2 * (V - 1), T, 3, dtype=torch.double)
    folded, plain = fold(dual)(x, bone_x), dual(x, bone_x)
    torch.testing.assert_close(folded.logits, plain.logits)
    torch.testing.assert_close(folded.future, plain.future)


def test_model_stays_as_it_is(arm, build):
    model = build(arm).train()
    state = copy.deepcopy(model.state_dict())
    folded = fold(model)
    folded(torch.randn(V, T, 3))
    assert model.training
    assert not folded.training
    assert all(p.requires_grad for p in model.parameters())
    assert not any(p.requires_grad for p in folded.parameters())
    torch.testing.assert_close(model.state_dict(), state, rtol=0, atol=0)


def no_norm(model):
    model.branches[0].joint_blocks[1].residual[1] = torch.nn.Identity()


def other_norm(model):
    model.branches[1].part_blocks[0].graph_norm.norm = torch.nn.GroupNorm(
        2, 6, dtype=torch.double
    )


def norm_without_track(model):
    model.branches[2].joint_blocks[0].temporal_norm.norm = torch.nn.BatchNorm1d(
        4, track_running_stats=False, dtype=torch.double
    )


def hook(model):
    conv = model.branches[0].joint_blocks[0].temporal_conv
    conv.register_forward_hook(lambda module, inputs, out: 2 * out)


def parametrised(model):
    conv = model.branches[0].joint_blocks[0].graph_conv
    torch.nn.utils.parametrizations.weight_norm(conv)


def circular(model):
    conv = model.branches[0].joint_blocks[0].temporal_conv
    conv.conv = torch.nn.Conv2d(
        4, 4, (1, 3), padding=(0, 1), padding_mode="circular"
    ).double()


@pytest.mark.parametrize(
    "change",
    [no_norm, other_norm, norm_without_track, hook, parametrised, circular],
)
def test_a_block_that_was_changed_stays_as_it_is(arm, build, change):
    model = build(arm, kernel_size=3).double()
    x = torch.randn(2 * V, T, 3, dtype=torch.double)
    before = model(x)
    change(model)
    folded = fold(model)
    torch.testing.assert_close(tuple(folded(x)), tuple(model(x)))
    if change is not parametrised:
        assert not torch.allclose(model(x).shared, before.shared)
    blocks = [m for m in folded.modules() if isinstance(m, FoldedBlock)]
    assert len(blocks) == 3 * (2 + 1) - 1


def test_every_block_is_folded(arm, build):
    model = build(arm)
    folded = fold(model)
    blocks = [m for m in folded.modules() if isinstance(m, FoldedBlock)]
    assert len(blocks) == 3 * (2 + 1)
    assert not any("norm" in n for n, _ in folded.branches.named_modules())
    assert "norm" in str(model.branches)
