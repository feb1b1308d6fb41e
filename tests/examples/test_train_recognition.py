import json
import sys

import numpy as np
import pytest
import torch
from train_recognition import build, parse_arguments

from symgnn_pyg import Skeleton
from symgnn_pyg.cli import main
from symgnn_pyg.datasets import SkeletonArrays
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.nn.baselines import CTRGCN
from tests.examples.scripts import run_script

CLASSES = ["left", "right"]


@pytest.fixture
def data(tmp_path):
    """Recordings of a moving hand, the left or the right one, of two people."""
    random = np.random.default_rng(0)
    skeleton = Skeleton.get("ntu25")
    for label in CLASSES:
        hand = skeleton.index(f"{label} hand")
        for person in ("anna", "ben"):
            for i in range(4):
                frames = random.normal(size=(20 + i, 25, 3))
                frames[:, hand] += np.linspace(0, 9, len(frames))[:, None]
                path = tmp_path / f"data/{label}_{person}{i}.npy"
                path.parent.mkdir(exist_ok=True)
                np.save(path, frames)
    return tmp_path / "data"


@pytest.fixture
def run(capsys, tmp_path, data):
    def run(*arguments):
        arguments = [
            "--data", data, "--skeleton", "ntu25", "--name-pattern",
            "(?P<label>[a-z]+)_(?P<group>ben|anna[0-9])",
            "--val-groups", "anna3", "--test-groups", "ben",
            "--output", tmp_path / "out", "--channels", 4, 8, "--frames", 16,
            "--recorded", 24, "--steps", 2, "--batch-size", 2,
            "--samplings", 2, *arguments,
        ]  # fmt: skip
        run_script("train_recognition.py", *arguments)
        return capsys.readouterr().out

    return run


def test_streams_are_fused_and_saved(run, data, capsys, tmp_path):
    out = run("--streams", "joint", "bone_velocity", "--class-weights",
              "--mirror", "--frame-rate", 25)  # fmt: skip
    assert "8 test recordings: top-1" in out
    found = json.loads((tmp_path / "out/recognition.json").read_text())
    assert found["samples"] == 8
    assert found["weights"].keys() == {"joint", "bone_velocity"}
    assert min(found["weights"].values()) > 0
    assert np.sum(found["confusion"]) == 8
    assert len(found["early_top1"]) == len(found["ratios"]) == 10
    assert found["early_top1"][-1] == found["top1"]
    assert (tmp_path / "out/confusion.png").exists()
    assert (tmp_path / "out/early.png").exists()
    scores = (tmp_path / "out/scores.csv").read_text().splitlines()
    assert scores[0] == "recording,class,left,right"
    assert [row.split(",")[1] for row in scores[1:]] == 4 * ["left"] + 4 * [
        "right"
    ]
    for stream, num_joints in (("joint", 25), ("bone_velocity", 24)):
        model = SymGNN.from_pretrained(tmp_path / "out" / stream / "model")
        assert model.skeleton.num_joints == num_joints
        assert model.about["classes"] == CLASSES
        assert model.about["id2label"] == {"0": "left", "1": "right"}
        whole = PoseModel.from_pretrained(tmp_path / "out" / stream / "model")
        assert whole.skeleton.num_joints == 25
        assert (whole.samples, whole.num_observed) == ("clips", 24)
        first, *others = map(str, whole.network.steps)
        assert first == "UniformSample(num_frames=16, random=False)"
        assert ("ToBones()" in others) == (stream == "bone_velocity")
        assert whole.about["frame_rate"] == 25
        answer = whole(np.random.default_rng(0).normal(size=(31, 25, 3)))
        assert answer.action in CLASSES
    folder = tmp_path / "out/joint/model"
    main(["evaluate", "--model", str(folder), "--data", str(data)])
    # The same recordings as above, those of another person.
    assert "8 of 8 clips (test)" in capsys.readouterr().out


def test_a_baseline_by_the_same_command(run, tmp_path):
    view = "base of spine", "middle of spine", "right shoulder", "left shoulder"
    run("--network", "CTRGCN", "--view", *view)
    folder = tmp_path / "out/joint/model"
    about = json.loads((folder / "config.json").read_text())
    assert about["class"] == "CTRGCN"
    model = CTRGCN.from_pretrained(folder)
    assert model.arguments["channels"] == [4, 8]
    assert model.about["classes"] == CLASSES
    assert all(p.isfinite().all() for p in model.parameters())
    assert type(PoseModel.from_pretrained(folder).model) is CTRGCN


def test_recordings_in_images(run, data, tmp_path):
    for path in data.iterdir():
        np.save(path, np.load(path)[..., :2])
    for network in ("SymGNN", "STGCN"):
        run("--network", network)
        model = PoseModel.from_pretrained(tmp_path / "out/joint/model")
        assert type(model.model).__name__ == network
        assert model(np.ones((9, 25, 2))).action in CLASSES


@pytest.mark.parametrize("network", ["STGCN", "AGCN", "ASGCN", "HCN"])
def test_every_network_can_be_built(network, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["", "--network", network])
    args = parse_arguments()
    train = SkeletonArrays(
        torch.randn(3, 5, 25, 3), range(3), "ntu25", num_observed=5,
        num_future=0,
    )  # fmt: skip
    model = build(train, args).eval()
    x = torch.randn(2 * 25, args.frames, 3)
    assert model(x).logits.shape == (2, 3)


def test_errors_are_one_line(run):
    with pytest.raises(SystemExit, match=r"^Error: .*no group 'carl'"):
        run("--test-groups", "carl")
    with pytest.raises(SystemExit, match=r"^Error: Expected several classes"):
        run("--name-pattern", "[a-z]*(?P<label>t)_(?P<group>ben|anna[0-9])")
