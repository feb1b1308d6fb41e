import json

import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.errors import DataError
from symgnn_pyg.inference import (
    Ensemble,
    MirrorAverage,
    PoseModel,
    Stream,
    export_program,
)
from symgnn_pyg.nn import DualSymGNN, SymGNN
from symgnn_pyg.transforms import Standardize

BODY = Skeleton(
    ["hip", "neck", "left hand", "right hand"], [(1, 0), (2, 1), (3, 1)]
)
V = BODY.num_joints
FRAMES, CLASSES = 6, ["walk", "run", "jump", "wait"]


@pytest.fixture
def standardize():
    return Standardize(torch.randn(V, 3), torch.rand(V, 3) + 0.5)


@pytest.fixture
def ensemble(build):
    return Ensemble([build(BODY), build(BODY)])


@pytest.fixture(params=["Ensemble", "MirrorAverage", "both"])
def network(request, build, ensemble, standardize):
    if request.param == "Ensemble":
        return ensemble
    return MirrorAverage(
        build(BODY) if request.param == "MirrorAverage" else ensemble,
        kind="rotation",
        axis=1,
        standardize=standardize,
    )


def test_is_the_mean(ensemble, dtype):
    ensemble.to(dtype)
    x = torch.randn(2 * V, FRAMES, 3, dtype=dtype)
    out = ensemble(x)
    one, other = (model(x) for model in ensemble.models)
    for name in ("logits", "future", "actional"):
        mean = (getattr(one, name) + getattr(other, name)) / 2
        torch.testing.assert_close(getattr(out, name), mean)
    assert torch.equal(out.shared, one.shared)
    assert not torch.allclose(one.future, other.future)


def test_order_does_not_matter(ensemble):
    x = torch.randn(V, FRAMES, 3)
    turned = Ensemble([*ensemble.models][::-1])
    torch.testing.assert_close(turned(x).future, ensemble(x).future)


def test_several_bodies(ensemble):
    x, bodies = torch.randn(3 * V, FRAMES, 3), torch.tensor([1, 2])
    out = ensemble(x, bodies)
    assert out.logits.shape == (2, 4)
    assert out.future.shape == (3 * V, 2, 3)


@pytest.mark.parametrize("head", ["num_classes", "num_future"])
def test_one_head(build, head):
    out = Ensemble([build(BODY, **{head: 0})] * 2)(torch.randn(V, FRAMES, 3))
    assert (out.logits is None) == (head == "num_classes")
    assert (out.future is None) == (head == "num_future")


def test_a_saved_folder_answers_alike(network, standardize, tmp_path):
    model = PoseModel(network, standardize, classes=CLASSES)
    model.save_pretrained(tmp_path, metrics={"val_error": 0.5})
    again = PoseModel.from_pretrained(tmp_path)
    assert type(again.model) is type(network)
    assert again.about["metrics"] == {"val_error": 0.5}
    motion = torch.randn(9, V, 3)
    found, expected = again(motion), model(motion)
    assert torch.equal(found.future, expected.future)
    assert found.probabilities == expected.probabilities
    assert (
        f" {type(network).__name__} of" in (tmp_path / "README.md").read_text()
    )


def test_streams(network, standardize):
    model = PoseModel(network, standardize)
    stream = Stream(model)
    motion = torch.randn(FRAMES, V, 3)
    for frame in motion:
        out = stream.step(frame)
    expected = model(motion).future.transpose(0, 1)
    torch.testing.assert_close(out.future, expected, rtol=1e-4, atol=1e-4)


def test_exports(build, standardize):
    small = {"orders": (0,), "num_iterations": 1, "num_future": 1}
    network = MirrorAverage(
        Ensemble([build(BODY, **small), build(BODY, **small)]),
        standardize=standardize,
    )
    model = PoseModel(network, standardize)
    x = torch.randn(3, V, FRAMES, 3)
    found = export_program(model).module()(x)
    for one, other in zip(found, model.network(x), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_mirrors_an_ensemble_as_its_networks(ensemble, standardize):
    x = torch.randn(V, FRAMES, 3)
    arguments = {"kind": "rotation", "standardize": standardize}
    of_mean = MirrorAverage(ensemble, **arguments)(x)
    outs = [MirrorAverage(m, **arguments)(x) for m in ensemble.models]
    for name in ("logits", "future"):
        mean = sum(getattr(out, name) for out in outs) / 2
        torch.testing.assert_close(getattr(of_mean, name), mean)


def test_a_saved_one_is_not_changed(network, tmp_path):
    network.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="another num_classes; load and fine"):
        type(network).from_pretrained(tmp_path, num_classes=3)
    with pytest.raises(DataError, match="Expected a SymGNN"):
        SymGNN.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        (
            {"num_future": 3},
            r"'num_future', got 2 in models\[0\] and 3 in models\[1\]",
        ),
        ({"num_observed": 7}, "same 'num_observed'"),
        (
            {"skeleton": Skeleton.get("cmu26")},
            r"of one skeleton, got .* in models\[1\]",
        ),
    ],
)
def test_networks_that_differ(build, changes, match):
    with pytest.raises(ValueError, match=match):
        Ensemble([build(BODY), build(**{"skeleton": BODY, **changes})])


def test_other_networks(build):
    dual = DualSymGNN(build(BODY), build(BODY.dual()))
    with pytest.raises(
        TypeError, match=r"'models\[0\]' to be a SymGNN, got Dual"
    ):
        Ensemble([dual])
    with pytest.raises(TypeError, match=r"SymGNN or an Ensemble.*got DualSym"):
        MirrorAverage(dual)
    with pytest.raises(TypeError, match="list of SymGNNs, got one SymGNN"):
        Ensemble(build(BODY))
    with pytest.raises(ValueError, match="at least one network"):
        Ensemble([])
    assert len(Ensemble(build(BODY) for _ in range(2)).models) == 2


def test_a_folder_asks_for_no_more_networks_than_allowed(ensemble, tmp_path):
    ensemble.save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    models = config["arguments"]["models"]
    for wrong, match in (
        (models * 51, "'models' must be at most 100, got 102"),
        ([{**models[0], "num_hops": 10**9}], "'num_hops' must be at most 100"),
        ([], "at least one network"),
    ):
        config["arguments"]["models"] = wrong
        path.write_text(json.dumps(config))
        with pytest.raises(DataError, match=match):
            Ensemble.from_pretrained(tmp_path)
