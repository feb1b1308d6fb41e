import json

import numpy as np
import pytest
from bandai_namco import body

from symgnn_pyg.inference import PoseModel
from tests.examples.scripts import run_script

ACTIONS = ["run", "walk"]


def bvh(skeleton, random):
    """A BVH file of 26 joints with random rotations, at 25 frames/s."""
    children = {joint: [] for joint in ("joint_Root", *skeleton.joints)}
    parents = dict(skeleton.bones)
    for i, joint in enumerate(skeleton.joints):
        above = skeleton.joints[parents[i]] if i in parents else "joint_Root"
        children[above].append(joint)
    lines = ["HIERARCHY"]

    def write(joint, word):
        channels = "Xrotation Yrotation Zrotation"
        lines.extend([f"{word} {joint}", "{", "OFFSET 3 9 1"])
        if joint == "Hips":
            lines.append(f"CHANNELS 6 Xposition Yposition Zposition {channels}")
        else:
            lines.append(f"CHANNELS 3 {channels}")
        for child in children[joint]:
            write(child, "JOINT")
        if not children[joint]:
            lines.extend(["End Site", "{", "OFFSET 0 1 0", "}"])
        lines.append("}")

    write("joint_Root", "ROOT")
    columns = 3 * len(children) + 3
    frames = random.normal(0, 3, (54, columns)).cumsum(axis=0)
    rows = "\n".join(" ".join(f"{x:.3f}" for x in row) for row in frames)
    return "\n".join(
        [*lines, "MOTION", "Frames: 54", "Frame Time: 0.04", rows, ""]
    )


@pytest.fixture
def data(tmp_path):
    random = np.random.default_rng(0)
    for action in ACTIONS:
        for style in ("normal", "elderly", "youthful"):
            for number in ("001", "002", "008")[
                : 3 if style == "normal" else 1
            ]:
                name = f"dataset-2_{action}_{style}_{number}.bvh"
                path = tmp_path / "data" / action / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(bvh(body(), random))
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("task", "missing"), [("recognition", "cm"), ("prediction", "recordings")]
)
def test_one_task(data, tmp_path, capsys, task, missing):
    run_script("bandai_namco.py", "--data", data, "--output", tmp_path / "out",
               "--steps", 1, "--batch-size", 2, "--task", task)  # fmt: skip
    out = capsys.readouterr().out
    for what in ("in cm", "recordings of unseen styles"):
        assert (what in out) == (missing not in what)


def test_from_a_folder_to_tables(data, tmp_path, capsys):
    output = tmp_path / "out"
    run_script("bandai_namco.py", "--data", data, "--output", output,
               "--steps", 1, "--batch-size", 2)  # fmt: skip
    out = capsys.readouterr().out
    assert out.startswith("Data: Bandai-Namco-Research-Motiondataset-2 (c)")
    assert "CC BY-NC 4.0" in out
    assert "4 recordings of unseen styles" in out
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["milliseconds"] == [80, 160, 320, 400, 1000]
    assert metrics["cm"].keys() == {
        "zero velocity", "linear regression", "Sym-GNN",
    }  # fmt: skip
    assert all(np.all(np.array(row) > 0) for row in metrics["cm"].values())
    recognition = json.loads((output / "recognition.json").read_text())
    assert np.sum(recognition["confusion"], axis=1).tolist() == [2, 2]
    model = PoseModel.from_pretrained(output / "model")
    assert model.classes == ACTIONS
    assert "Bandai Namco" in model.about["data"]["dataset"]
    answer = model(np.random.default_rng(1).normal(size=(25, 21, 3)))
    assert answer.future.shape == (25, 21, 3)
