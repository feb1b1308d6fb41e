import copy
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.transforms import Compose

from symgnn_pyg import Skeleton
from symgnn_pyg.data import bone_features
from symgnn_pyg.inference import PoseModel, export_onnx, export_program
from symgnn_pyg.nn import DualSymGNN
from symgnn_pyg.transforms import (
    Center,
    Difference,
    Mirror,
    NormalizeView,
    Resample,
    Standardize,
    ToBones,
)
from tests.inference.pipelines import STANDARDIZE, STEPS, K, V

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

SCRIPT = Path(__file__).parents[2] / "examples" / "onnx_inference.py"
T = 9
SMALL = {"num_observed": T, "num_iterations": 1}
# One body, several, and as many as joints.
BODIES = (1, 3, V)


@pytest.fixture
def light(arm, build):
    return build(arm, orders=(0, 1), **SMALL)


@pytest.fixture(scope="module")
def dual(arm, build):
    torch.manual_seed(0)
    joint, bone = (
        build(skeleton, fusion=(), orders=(1,), **SMALL)
        for skeleton in (arm, arm.dual())
    )
    return DualSymGNN(
        joint, bone, recognition_weight=0.3, prediction_weight=0.6
    ).eval()


def expected(model, x, transform=None):
    """What the network returns, by the formula of standardisation."""
    if transform is not None:
        x = (x - transform.mean.unsqueeze(1)) / transform.std.unsqueeze(1)
    rows = x.flatten(0, 1)
    with torch.no_grad():
        if isinstance(model, DualSymGNN):
            out = model(rows, bone_features(rows, model.skeleton))
        else:
            out = model(rows)
    future = out.future.view(-1, V, STEPS, 3)
    if transform is not None:
        future = future * transform.std.unsqueeze(1)
        future = future + transform.mean.unsqueeze(1)
    return out.logits, future


@pytest.fixture(scope="module", params=["full", "dual"])
def exported(request, arm, build, dual, tmp_path_factory):
    torch.manual_seed(0)
    model, transform = dual, STANDARDIZE
    if request.param == "full":
        sizes = {"orders": (0, 1), "num_hops": 4, "kernel_size": 9}
        model, transform = build(arm, **sizes, **SMALL), None
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    export_onnx(model, path, list("abcd"), transform=transform)
    return model, transform, path


# ONNX ########################################################################


def test_runs_in_onnxruntime(exported):
    model, transform, path = exported
    session = onnxruntime.InferenceSession(path)
    seen = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        for bodies in BODIES:
            x = torch.randn(bodies, V, T, 3)
            found = session.run(["logits", "future"], {"x": x.numpy()})
            for got, wanted in zip(
                found, expected(model, x, transform), strict=True
            ):
                torch.testing.assert_close(
                    torch.from_numpy(got), wanted, rtol=1e-4, atol=1e-4
                )
        seen.append(found)
    for one, other in zip(*seen, strict=True):
        assert abs(one - other).max() > 1e-3


def test_file_tells_what_it_is(exported, arm):
    path = exported[2]
    session = onnxruntime.InferenceSession(path)
    metadata = session.get_modelmeta().custom_metadata_map
    about = {key: json.loads(value) for key, value in metadata.items()}
    assert about["joints"] == list(arm.joints)
    assert Skeleton(**about["skeleton"]) == arm
    assert about["classes"] == ["a", "b", "c", "d"]
    assert about["samples"] == "windows"
    assert (about["num_observed"], about["num_future"]) == (T, STEPS)
    (x,), (logits, future) = session.get_inputs(), session.get_outputs()
    assert (x.name, x.shape) == ("x", ["bodies", V, T, 3])
    assert (logits.name, logits.shape) == ("logits", ["bodies", K])
    assert (future.name, future.shape) == ("future", ["bodies", V, STEPS, 3])


def test_file_is_whole_and_holds_no_paths(exported):
    path = exported[2]
    onnx.checker.check_model(path)
    assert [file.name for file in path.parent.iterdir()] == ["model.onnx"]
    assert b"symgnn_pyg/" not in path.read_bytes()


def test_one_head(arm, build, tmp_path):
    model = build(arm, fusion=(), orders=(0,), num_future=0, **SMALL)
    export_onnx(model, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    assert [out.name for out in session.get_outputs()] == ["logits"]
    metadata = session.get_modelmeta().custom_metadata_map
    assert metadata["classes"] == '["0", "1", "2", "3"]'
    assert metadata["num_future"] == "0"


def test_names_that_do_not_fit(light, tmp_path):
    with pytest.raises(ValueError, match="the 4 classes of the network, got 3"):
        export_onnx(light, tmp_path / "model.onnx", list("abc"))
    assert not list(tmp_path.iterdir())


def test_transform_that_does_not_fit(light, tmp_path):
    other = Standardize(torch.zeros(4, 3), torch.ones(4, 3))
    with pytest.raises(ValueError, match=r"5 joints .*joints=4"):
        export_onnx(light, tmp_path / "model.onnx", transform=other)


def test_missing_packages_are_named(light, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ImportError, match=r"symgnn_pyg\[export\]"):
        export_onnx(light, tmp_path / "model.onnx")


# The example #################################################################


EXAMPLE = """
import runpy, sys
for name in ("symgnn_pyg", "torch", "torch_geometric"):
    sys.modules[name] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_example(*arguments):
    return subprocess.run(
        [sys.executable, "-c", EXAMPLE, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_example_needs_no_torch(exported, arm, tmp_path):
    model, transform, path = exported
    motion = np.random.default_rng(0).normal(size=(50, V, 3))
    np.save(tmp_path / "motion.npy", motion)
    done = run_example(path, "--motion", tmp_path / "motion.npy")
    assert done.returncode == 0, done.stderr
    window = torch.from_numpy(motion[-T:]).float().transpose(0, 1)
    logits, future = expected(model, window.unsqueeze(0), transform)
    share, top = logits.softmax(dim=-1)[0].max(dim=0)
    moves = (future[0, :, -1] - window[:, -1]).norm(dim=-1)
    joint = arm.joints[int(moves.argmax())]
    assert (
        f"frame 50: {'abcd'[top]} ({float(share):.0%}); in 2 frames {joint!r} "
        f"will have moved most, by {float(moves.max()):.3f}"
    ) in done.stdout
    assert "42 windows; p50" in done.stdout


def test_example_without_motion(exported):
    done = run_example(exported[2])
    assert done.returncode == 0, done.stderr
    assert "poses are synthetic" in done.stdout
    assert "Joints: chest, shoulder, elbow" in done.stdout


def test_example_names_what_is_wrong(exported, tmp_path):
    (tmp_path / "garbage.onnx").write_bytes(b"garbage")
    np.save(tmp_path / "short.npy", np.zeros((T - 1, V, 3)))
    with open(tmp_path / "endless.npy", "wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**14, 5)}
        np.lib.format.write_array_header_1_0(file, header)
    for arguments, message in (
        ([tmp_path / "absent.onnx"], "absent.onnx does not exist"),
        ([tmp_path / "garbage.onnx"], "garbage.onnx is not an ONNX file"),
        (
            [exported[2], "--motion", tmp_path / "short.npy"],
            "at least 9 frames of 5 joints and 3 channels, got [8, 5, 3]",
        ),
        ([exported[2], "--motion", tmp_path / "endless.npy"], "mmap length"),
    ):
        done = run_example(*arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("Error: ")
        assert message in done.stderr


# Programs ####################################################################


@pytest.fixture(scope="module")
def dual_program(dual):
    return export_program(dual, STANDARDIZE)


@pytest.mark.parametrize("bodies", [*BODIES, V - 1])
def test_program(dual, dual_program, bodies):
    x = torch.randn(bodies, V, T, 3)
    torch.testing.assert_close(
        dual_program.module()(x), expected(dual, x, STANDARDIZE)
    )


def test_program_without_the_library(dual_program, tmp_path):
    x = torch.randn(2, V, T, 3)
    torch.export.save(dual_program, tmp_path / "model.pt2")
    torch.save((x, *dual_program.module()(x)), tmp_path / "values.pt")
    code = """
import sys
sys.modules["symgnn_pyg"] = sys.modules["torch_geometric"] = None
import torch
x, *expected = torch.load("values.pt")
found = torch.export.load("model.pt2").module()(x)
torch.testing.assert_close(list(found), expected)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


PIPELINES = {
    "view": Compose([Center(1), NormalizeView((0, 2), (3, 4)), STANDARDIZE]),
    "bones": Compose([Compose([Resample(3, 2), Difference(2)]), ToBones()]),
}


@pytest.fixture(scope="module", params=list(PIPELINES))
def preprocessed(request, arm, build):
    """A network of several bodies with preprocessing, and its program."""
    torch.manual_seed(0)
    bones = request.param == "bones"
    network = build(
        arm.dual() if bones else arm,
        fusion=(),
        orders=(0,),
        use_actional=False,
        **SMALL,
    )
    model = PoseModel(
        network, PIPELINES[request.param], skeleton=arm, classes=list("abcd")
    )
    return model, export_program(model, several_bodies=True)


SCENES = ([1], [2], [2, 1], [1, 3, 1])


@pytest.mark.parametrize("bodies", SCENES, ids=str)
def test_bodies_of_a_scene(preprocessed, bodies):
    """One answer per scene, on raw windows."""
    model, program = preprocessed
    x = torch.randn(sum(bodies), V, model.num_observed, 3)
    logits, future = program.module()(x, torch.tensor(bodies))
    answer = model(x.transpose(1, 2), num_bodies=bodies)
    probabilities = torch.stack([*answer.probabilities.values()], dim=-1)
    assert len(logits) == len(bodies)
    torch.testing.assert_close(logits.softmax(dim=-1), probabilities)
    torch.testing.assert_close(future, answer.future.transpose(1, 2))


def test_bodies_of_a_scene_in_onnxruntime(preprocessed, tmp_path):
    model, _ = preprocessed
    path = tmp_path / "model.onnx"
    export_onnx(model, path, several_bodies=True)
    session = onnxruntime.InferenceSession(path)
    metadata = session.get_modelmeta().custom_metadata_map
    assert metadata["classes"] == '["a", "b", "c", "d"]'
    assert metadata["num_observed"] == str(model.num_observed)
    assert [each.shape for each in session.get_inputs()] == [
        ["bodies", V, model.num_observed, 3],
        ["samples"],
    ]
    network = model.network
    for bodies in SCENES:
        x = torch.randn(sum(bodies), V, model.num_observed, 3)
        num_bodies = torch.tensor(bodies)
        found = session.run(
            ["logits", "future"],
            {"x": x.numpy(), "num_bodies": num_bodies.numpy()},
        )
        with torch.no_grad():
            expected = network(x, num_bodies)
        for got, wanted in zip(found, expected, strict=True):
            torch.testing.assert_close(
                torch.from_numpy(got), wanted, rtol=1e-4, atol=1e-4
            )


def test_refuses_random_transforms(light):
    with pytest.raises(ValueError, match=r"got Mirror\("):
        export_program(light, Compose([STANDARDIZE, Mirror()]))


def test_model_stays_as_it_is(arm, build):
    model = build(arm, fusion=(), orders=(0,), num_future=0, **SMALL).train()
    state = copy.deepcopy(model.state_dict())
    export_program(model)
    assert model.training
    assert all(p.requires_grad for p in model.parameters())
    torch.testing.assert_close(model.state_dict(), state, rtol=0, atol=0)
