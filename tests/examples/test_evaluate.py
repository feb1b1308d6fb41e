import json
import re

import pytest
import torch
from torch_geometric.transforms import Compose

from symgnn_pyg import Skeleton
from symgnn_pyg.datasets.cmu_mocap import ACTIONS
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.nn.models.pretrained_files import SHIPPED, pretrained_names
from symgnn_pyg.transforms import Standardize, ToBones
from tests.examples.scripts import run_script

CMU = Skeleton.get("cmu26")
ABOUT = {
    "classes": list(ACTIONS),
    "trained": ["running", "walking"],
    "mean": torch.zeros(26, 3).tolist(),
    "std": torch.ones(26, 3).tolist(),
    "seed": 4,
}


@pytest.fixture
def run(capsys, tmp_path, write_recording):
    data = tmp_path / "cmu"
    for action in ("running", "walking", "soccer"):
        write_recording(data / f"test/{action}/{action}_1.txt", 155)

    def run(*arguments):
        arguments = ["--data", data, "--output", tmp_path / "out", *arguments]
        run_script("evaluate.py", *arguments)
        return capsys.readouterr().out

    return run


def write_weights(folder, about=ABOUT, num_future=10, skeleton=CMU):
    """A network that predicts stillness, and finds everything to run."""
    model = SymGNN.light(
        skeleton, 8, num_observed=12, num_future=num_future,
        channels=(2, 2, 4, 4), hidden_channels=8,
    )  # fmt: skip
    torch.nn.init.zeros_(model.recognition_head.classify.weight)
    torch.nn.init.zeros_(model.recognition_head.classify.bias)
    model.recognition_head.classify.bias.data[ACTIONS.index("running")] = 9
    model.save_pretrained(folder / "model", **about)
    return folder / "model"


def test_table(run, tmp_path):
    path = tmp_path / "table.json"
    plot = tmp_path / "table.png"
    out = run(
        "--weights", write_weights(tmp_path), "--json", path, "--plot", plot
    )
    assert plot.read_bytes().startswith(b"\x89PNG")
    found = json.loads(path.read_text())
    assert found["horizons_ms"] == [80, 160, 320, 400]
    for rows in (*found["per_action"].values(), found["average"]):
        assert rows["model"] == pytest.approx(rows["zero_velocity"])
    # Soccer was not trained: it is measured, and counts for nothing.
    assert set(found["per_action"]) == {"running", "walking", "soccer"}
    assert found["average"]["published"] == pytest.approx(
        [(a + b) / 2 for a, b in zip(
            (0.21, 0.33, 0.53, 0.56), (0.26, 0.32, 0.35, 0.39), strict=True
        )]
    )  # fmt: skip
    every = found["average_at_every_frame"]
    assert len(every["model"]) == 10
    assert [every["model"][k] for k in (1, 3, 7, 9)] == pytest.approx(
        found["average"]["model"]
    )
    assert found["top1"] == 0.5
    assert found["seed"] == 4
    assert "16 of the windows" in out


def test_joined_with_a_network_of_the_bones(run, tmp_path):
    """It recognises alone where that of the joints weighs nothing."""
    joint = write_weights(tmp_path / "joint")
    bone = SymGNN.from_pretrained(
        write_weights(tmp_path / "bone", skeleton=CMU.dual())
    )
    bone.recognition_head.classify.bias.data[ACTIONS.index("soccer")] = 20
    standardize = PoseModel.from_pretrained(joint).transform
    transform = Compose([standardize, ToBones()])
    PoseModel(bone, transform, classes=ACTIONS, skeleton=CMU).save_pretrained(
        tmp_path / "bone"
    )
    path, accuracies = tmp_path / "table.json", []
    for weight in (1, 0):
        run(
            "--weights", joint, "--bones", tmp_path / "bone",
            "--joint-weight", weight, "--json", path,
        )  # fmt: skip
        found = json.loads(path.read_text())
        assert found["average"]["model"] == pytest.approx(
            found["average"]["zero_velocity"], rel=1e-4
        )
        accuracies.append(found["top1"])
    assert accuracies == [0.5, 0.0]
    assert SymGNN.from_pretrained(joint).fits(CMU)
    other = Standardize(standardize.mean + 1, standardize.std)
    PoseModel(
        bone, Compose([other, ToBones()]), classes=ACTIONS, skeleton=CMU
    ).save_pretrained(tmp_path / "bone")
    with pytest.raises(SystemExit, match="normalised differently"):
        run("--weights", joint, "--bones", tmp_path / "bone")
    with pytest.raises(SystemExit):
        run("--weights", joint, "--joint-weight", 1)
    with pytest.raises(SystemExit, match="'bone' network for the dual of"):
        run("--weights", joint, "--bones", joint)


def test_horizon_that_was_not_published(run, tmp_path):
    run(
        "--weights", write_weights(tmp_path, num_future=25),
        "--json", tmp_path / "table.json",
    )  # fmt: skip
    found = json.loads((tmp_path / "table.json").read_text())["average"]
    assert found["published"][4] is None
    assert found["published"][5] == pytest.approx(0.585)


def test_mean_and_spread_of_several(run, tmp_path, write_recording):
    """And their average, with mirror images and linear regression."""
    for i in (1, 5):
        write_recording(tmp_path / f"cmu/train/running/running_{i}.txt", 90, i)
    folders = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        folders.append(write_weights(tmp_path / name))
    path = tmp_path / "tables.json"
    out = run("--weights", *folders, "--json", path, "--mirror")
    one, other, average = json.loads(path.read_text())
    for table in (one, other, average):
        del table["seconds"]
    assert one == other
    assert average["seed"] == [4, 4]
    for rows in (one["average"], average["average"]):
        assert list(rows) == [
            "zero_velocity", "linear_regression", "model", "mirror_average",
            "published",
        ]  # fmt: skip
        # Two that predict stillness do so together, mirrored or not.
        for row in ("model", "mirror_average"):
            assert rows[row] == pytest.approx(rows["zero_velocity"], rel=1e-4)
        assert rows["linear_regression"] != rows["zero_velocity"]
    rows = [f"{error:.3f}" for error in one["average"]["model"]]
    for name in ("mean", "minimum", "maximum"):
        assert re.search(rf"^ +{name} +{' +'.join(rows)}$", out, re.MULTILINE)
    assert "top1: mean 50.0%, minimum 50.0%, maximum 50.0%" in out
    assert "average of 2 networks" in out


def test_spread_of_several_horizons(run, tmp_path):
    """Over the times that all of them predict."""
    folders = [
        write_weights(tmp_path / str(frames), num_future=frames)
        for frames in (10, 5)
    ]
    path = tmp_path / "tables.json"
    out = run("--weights", *folders, "--json", path)
    longer, shorter = json.loads(path.read_text())
    assert (longer["horizons_ms"], shorter["horizons_ms"]) == (
        [80, 160, 320, 400],
        [80, 160],
    )
    _, _, spread = out.partition("average error of 2 models")
    cells = [f"{error:.3f}" for error in shorter["average"]["model"]]
    assert re.search(rf"^ +maximum +{' +'.join(cells)}$", spread, re.MULTILINE)


def test_one_head_alone(run, tmp_path):
    model = SymGNN.light(
        CMU, 8, num_observed=12, channels=(2, 2, 4, 4), num_future=0
    )
    model.save_pretrained(tmp_path / "model", **ABOUT)
    with pytest.raises(SystemExit, match="lacks one of the two heads"):
        run("--weights", tmp_path / "model")


@pytest.mark.parametrize(
    ("about", "message"),
    [({}, "lacks 'trained'"), ({**ABOUT, "mean": [0.0]}, "Error: .*mean")],
)
def test_weights_without_what_is_needed(run, tmp_path, about, message):
    with pytest.raises(SystemExit, match=message):
        run("--weights", write_weights(tmp_path, about))


def test_no_such_weights(run):
    with pytest.raises(SystemExit, match=r"Error: There is no folder absent"):
        run("--weights", "absent")


@pytest.mark.parametrize("name", pretrained_names())
def test_weights_of_the_library_do_what_their_card_says(
    run, tmp_path, cmu_mocap, name
):
    path = tmp_path / "table.json"
    run("--weights", name, "--data", cmu_mocap, "--json", path)
    found = json.loads(path.read_text())["average"]
    card = (SHIPPED / name / "README.md").read_text()
    for row in ("zero_velocity", "model", "published"):
        cells = ("-" if cell is None else f"{cell:.3f}" for cell in found[row])
        title = {"model": "this model", "published": "published Sym-GNN"}
        line = title.get(row, row.replace("_", " "))
        assert f"| {line} | {' | '.join(cells)} |" in card


@pytest.mark.parametrize("name", pretrained_names())
def test_weights_of_the_library(name):
    model = SymGNN.from_pretrained(name, CMU)
    assert len(model.about["classes"]) == 8
    out = model(torch.zeros(26, model.num_observed, 3))
    assert out.logits.shape == (1, 8)
    weights = SHIPPED / name / "model.safetensors"
    assert weights.stat().st_size < 10 * 2**20
    assert "NSF" in (SHIPPED / name / "README.md").read_text()
