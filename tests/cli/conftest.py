import contextlib
import io
import json

import numpy as np
import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.cli import main
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.transforms import Standardize

ARM = Skeleton(["a", "b", "c"], [(1, 0), (2, 1)], name="arm")
SIZES = {
    "num_observed": 6, "num_future": 3, "channels": [4, 4], "strides": [1, 2],
    "fusion": [1], "hidden_channels": 8,
}  # fmt: skip


def rows(text):
    return [" ".join(line.split()) for line in text.splitlines()]


def training(output, folder, skeleton_file):
    """The arguments of a short training."""
    return [
        "train", "--data", folder, "--skeleton", skeleton_file, "--output",
        output, "--observed", 6, "--future", 3, "--channels", 4, 4, "--steps",
        4, "--validate-every", 2, "--batch-size", 4,
    ]  # fmt: skip


@pytest.fixture
def run(capsys):
    """Runs the command, and returns its status and what it printed."""

    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def ok(run):
    """Runs the command without errors, and returns what it printed."""

    def ok(*arguments):
        status, out, err = run(*arguments)
        assert status == 0, err
        return out

    return ok


@pytest.fixture
def fails(run):
    """Runs the command, which fails, and returns the error it printed."""

    def fails(*arguments):
        status, _, err = run(*arguments)
        assert status == 1
        return err

    return fails


@pytest.fixture(scope="session")
def skeleton_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("skeleton") / "arm.json"
    path.write_text(
        json.dumps({"joints": ["a", "b", "c"], "bones": [["b", "a"], [2, 1]]})
    )
    return path


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Two classes of positions in 2-D, far from the origin."""
    root = tmp_path_factory.mktemp("data") / "motion"
    random = np.random.default_rng(0)
    for scale, name in ((1, "calm"), (9, "wild")):
        (root / name).mkdir(parents=True)
        for i in range(5):
            frames = 500 + scale * random.normal(size=(14 + i, 3, 2))
            np.save(root / name / f"{i}.npy", frames)
    return root


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """A model with random weights."""
    torch.manual_seed(0)
    network = SymGNN(ARM, 3, in_channels=2, **SIZES)
    transform = Standardize(torch.full((3, 2), 5.0), torch.full((3, 2), 2.0))
    path = tmp_path_factory.mktemp("model") / "tiny"
    PoseModel(network, transform, classes=["up", "down", "on"]).save_pretrained(
        path, unit="mm", frame_rate=50.0, license="mit"
    )
    return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory, folder, skeleton_file):
    """A finished training, and what it printed."""
    output = tmp_path_factory.mktemp("train") / "out"
    printed = io.StringIO()
    given = training(output, folder, skeleton_file)
    with contextlib.redirect_stdout(printed):
        status = main([*map(str, given), "--unit", "mm", "--frame-rate", "25"])
    assert status == 0
    return output, printed.getvalue()


@pytest.fixture
def uneven(tmp_path):
    """A table of an arm that moves at even speed, and its times, which are
    not."""
    times = np.cumsum(np.linspace(0.01, 0.03, 30))
    rows = [f"{t},{t},0,{t},1,{t},2" for t in times]
    path = tmp_path / "uneven.csv"
    path.write_text("\n".join(["time,a_x,a_y,b_x,b_y,c_x,c_y", *rows]))
    return path, times


@pytest.fixture
def people(tmp_path):
    """Two bodies in files of OpenPose, neither seen in the second frame, and
    the neck of the first one not in the fourth."""
    folder = tmp_path / "people"
    folder.mkdir()
    for t in range(5):
        bodies = [[x + t, 10.0 * t, 0.5] * 25 for x in (1.0, 100.0) if t != 1]
        if t == 3:
            bodies[0][3:6] = [0.0, 0.0, 0.0]
        document = {"people": [{"pose_keypoints_2d": b} for b in bodies]}
        path = folder / f"v_{t:012d}_keypoints.json"
        path.write_text(json.dumps(document))
    return folder
