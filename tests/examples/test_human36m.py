"""From files of Human3.6M to all tables, on made-up ones."""

import json
import re
import shutil
from math import sin

import numpy as np
import pytest

from examples.paper import prediction
from examples.paper.__main__ import main
from symgnn_pyg.datasets.human36m import ACTIONS
from symgnn_pyg.nn import SymGNN
from tests.examples.human36m_files import write_human36m
from tests.examples.scripts import run_script

FOUR = ["walking", "eating", "smoking", "discussion"]
pytestmark = pytest.mark.filterwarnings("ignore:.*lacks .* files of Human3.6M")


@pytest.fixture(scope="module")
def human36m(tmp_path_factory):
    root = tmp_path_factory.mktemp("human36m") / "h36m"
    write_human36m(root)
    return root


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """Where the files are parsed only once."""
    return tmp_path_factory.mktemp("output")


@pytest.fixture
def evaluate(tmp_path, capsys):
    """Runs evaluate.py; returns what it prints and its table."""

    def evaluate(root, weights, *arguments):
        path = tmp_path / "table.json"
        run_script(
            "evaluate.py", "--dataset", "h36m", "--data", root, "--weights",
            weights, "--json", path, "--output", tmp_path, *arguments,
        )  # fmt: skip
        return capsys.readouterr().out, json.loads(path.read_text())

    return evaluate


def still(folder, num_future=25):
    """A network that predicts the last pose."""
    model = SymGNN.light(
        "h36m20", 15, num_observed=12, num_future=num_future,
        channels=(2, 2, 4, 4), hidden_channels=4,
    )  # fmt: skip
    about = {"classes": ACTIONS, "trained": ACTIONS, "seed": 0}
    model.save_pretrained(folder / "still", **about)
    return folder / "still"


def test_from_training_to_the_table(human36m, output, evaluate):
    run_script(
        "train.py", "--dataset", "h36m", "--data", human36m, "--output",
        output, "--observed", 20, "--channels", 4, 4, "--hidden-channels", 8,
        "--steps", 2,
    )  # fmt: skip
    out, found = evaluate(
        human36m, output / "model", "--mirror", "--output", output
    )
    assert "120 test windows" in found["protocol"]
    assert found["horizons_ms"] == [80, 160, 320, 400, 560, 1000]
    assert list(found["per_action"]) == list(ACTIONS)
    rows = ["zero_velocity", "linear_regression", "model", "mirror_average"]
    for action, cells in found["per_action"].items():
        assert list(cells) == [*rows, "published"]
        assert (cells["published"][4] is None) == (action not in FOUR)
    assert found["per_action"]["walking"]["published"] == [
        0.17, 0.31, 0.5, 0.6, 0.75, 0.78,
    ]  # fmt: skip
    # The averages in table VI.
    published = found["average"]["published"]
    assert published[:4] == pytest.approx([0.26, 0.49, 0.79, 0.92], abs=0.01)
    assert published[4:] == [None, None]
    ((four, averages),) = found["average_of"].items()
    assert four == ", ".join(FOUR)
    for name in (*rows, "published"):
        cells = [found["per_action"][action][name] for action in FOUR]
        assert averages[name] == pytest.approx(np.mean(cells, axis=0).tolist())
    # Motion of one frequency is easy for a line.
    line, zero = (found["average"][r] for r in ("linear_regression", rows[0]))
    assert all(a < 0.5 * b for a, b in zip(line, zero, strict=True))
    places = found["positions"]
    assert list(places["per_action"]["sitting"]) == rows
    errors = [f"{error:.1f}" for error in places["average"]["model"]]
    assert re.search(rf"average +model +{' +'.join(errors)}\n", out)


def test_errors_by_hand(tmp_path, evaluate):
    """The head nods by a constant angle per frame; only its end moves."""
    table = np.zeros((340, 99))
    table[:, 3 + 3 * 14] = 0.002 * np.arange(340)
    (tmp_path / "h36m/S5").mkdir(parents=True)
    for take in (1, 2):
        path = tmp_path / f"h36m/S5/walking_{take}.txt"
        np.savetxt(path, table, fmt="%.4f", delimiter=",")
    _, found = evaluate(tmp_path / "h36m", still(tmp_path, 10))
    angles = [0.004 * frame for frame in (2, 4, 8, 10)]
    chords = [2 * 115.002227 * sin(angle / 2) / 32 for angle in angles]
    for name in ("zero_velocity", "model"):
        assert found["average"][name] == pytest.approx(angles, rel=1e-4)
        assert found["positions"]["average"][name] == pytest.approx(
            chords, rel=1e-4
        )


def test_errors_are_one_sentence(tmp_path, human36m, output, evaluate):
    with pytest.raises(SystemExit, match="for cmu26, but --dataset h36m hold"):
        evaluate(human36m, "cmu-light-short", "--output", output)
    shutil.copytree(human36m / "S5", tmp_path / "h36m/S5")
    for name in ("eating_1", "posing_2"):
        (tmp_path / f"h36m/S5/{name}.txt").unlink()
    with pytest.raises(SystemExit, match=r"S5/eating_1\.txt, S5/posing_2\.txt"):
        evaluate(tmp_path / "h36m", still(tmp_path))
    with pytest.raises(SystemExit):
        main(["table-5", "--dataset", "h36m"])


@pytest.mark.parametrize(
    ("table", "actions"), [("table-5", 4), ("table-6", 12), ("table-8", 4)]
)
def test_tables_of_the_paper(human36m, output, monkeypatch, table, actions):
    for name in ("SHORT", "LONG"):
        zero = {"ZeroV": getattr(prediction, name)["ZeroV"]}
        monkeypatch.setattr(prediction, name, zero)
    monkeypatch.setattr(prediction, "sym_gnn", lambda **_: zero["ZeroV"])
    main([table, "--quick", "--data", str(human36m), "--dataset", "h36m",
          "--output", str(output)])  # fmt: skip
    content = json.loads((output / f"{table}.json").read_text())
    ours = [i for i, c in enumerate(content["columns"]) if "Human3.6M" in c]
    shown = {
        row["row"]: [row["cells"][i] for i in ours]
        for row in content["rows"]
        if row["row"].endswith("ZeroV")
    }
    assert len(shown) == actions + (table != "table-6")
    assert all(cell["mean"] > 0 for cells in shown.values() for cell in cells)
    average = np.mean(
        [
            [cell["mean"] for cell in cells]
            for row, cells in shown.items()
            if not row.startswith("Average")
        ],
        axis=0,
    )
    found = [cell["mean"] for cell in shown["Average · ZeroV"]]
    # In the paper, that of table VI also covers the actions of table V.
    assert (found == pytest.approx(average)) == (table != "table-6")
    assert not any("stands in" in note for note in content["notes"])
    assert "subject 11" in content["protocol"]["split"]
    assert content["protocol"]["command"].startswith(
        f"python -m examples.paper {table} --data h36m --dataset h36m --quick"
    )
