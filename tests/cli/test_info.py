import shutil

import numpy as np
import pytest

from tests.cli.conftest import rows


def test_array(ok, tmp_path):
    frames = np.zeros((4, 17, 2), "f4")
    frames[0, 0] = np.nan
    np.save(tmp_path / "a.npy", frames)
    out = ok("info", tmp_path / "a.npy")
    assert "float32 [4, 17, 2]" in out
    assert "1.5% of the numbers" in out
    assert "layouts of 17 joints: coco17, h36m17;" in out
    frames = np.zeros((2000, 17, 2), "f4")
    for missing, told in ((0, "none"), (1, "less than 0.1%")):
        frames[:missing, 0] = np.nan
        np.save(tmp_path / "a.npy", frames)
        out = ok("info", tmp_path / "a.npy")
        assert f"missing (NaN): {told} of the numbers" in out


def test_axes_of_an_array(ok, fails, tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.ones((3, 20, 18, 2)))
    assert "layouts of 18 joints:" in ok("info", path)
    assert "layouts of 20 joints:" in ok("info", path, "--axes", "CVTM")
    assert "layouts of 2 joints: none" in ok("info", path, "--axes", "NMCTV")
    for axes, message in (
        ("CTV", "[3, 20, 18, 2], which does not fit the 3 axes 'CTV'"),
        ("CTVX", "Expected --axes to name each of T"),
    ):
        assert message in fails("info", path, "--axes", axes)


@pytest.mark.parametrize(
    ("what", "option", "message"),
    [
        ("a.npy", ["--frame-rate", 30], "to an array without a layout: leave"),
        ("a.npy", ["--name-pattern", "a"], "--name-pattern does not apply to"),
        ("a.npy", ["--format", "ntu"], "expected a number of frames"),
        (".", ["--max-bodies", 2], "--max-bodies does not apply to a folder"),
        (
            "a.npy",
            ["--max-bodies", 2],
            "--max-bodies applies to coco and kinetics and",
        ),
        ("a.npy", ["--key", "x"], "--key applies to .npz files"),
        (".", ["--index-columns", 1], "to .csv and .tsv files, got it for ."),
        ("none", [], "There is no folder"),
        ("cmu-light-long", ["--axes", "TVC"], "--axes does not apply to a mo"),
        ("cmu-light-long", ["--layout", "cmu26"], "--layout does not apply"),
    ],
)
def test_options_that_change_nothing(
    fails, tmp_path, monkeypatch, what, option, message
):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.zeros((4, 17, 2)))
    assert message in fails("info", what, *option)


def test_recording(ok, tmp_path, skeleton_file):
    frames = np.arange(48.0).reshape(8, 3, 2)
    frames[3, 1, 0] = np.nan
    np.save(tmp_path / "a.npy", frames)
    given = ["--skeleton", skeleton_file, "--frame-rate", 4]
    out = rows(ok("info", tmp_path / "a.npy", *given))
    for row in (
        "frames 8", "frames per second 4", "seconds 2.00", "bodies 1",
        "joints 3 (arm)", "missing 2.1% of the numbers",
        "channel 1 from 1 to 47",
    ):  # fmt: skip
        assert row in out


def test_folder_of_one_recording(ok, fails, people):
    given = ["--format", "openpose", "--max-bodies", 2]
    out = rows(ok("info", people, *given))
    for row in (
        "frames 5", "bodies 2", "joints 25 (openpose25)",
        "missing 20.4% of the numbers", "channel 0 from 1 to 104",
    ):  # fmt: skip
        assert row in out
    err = fails("info", people)
    assert "v_000000000000_keypoints.json is not one of .npy" in err
    file = people / "v_000000000000_keypoints.json"
    err = fails("info", file)
    assert "pose estimators' files (on the command line --format)" in err
    err = fails("info", file, "--format", "openpose")
    assert f"Expected a folder or a zip archive, but {file} is not" in err


def test_folder(ok, folder, skeleton_file, tmp_path):
    root = shutil.copytree(folder, tmp_path / "motion")
    frames = np.load(root / "calm/0.npy")
    frames[:7, 0] = np.nan
    np.save(root / "calm/0.npy", frames)
    (root / "wild/1.npy").write_bytes(b"nothing")
    before = sorted(tmp_path.rglob("*"))
    out = rows(ok("info", root, "--skeleton", skeleton_file))
    assert "9 recordings in 2 classes" in out[0]
    assert f"{sum(range(14, 19)) + 14 + 16 + 17 + 18} frames" in out[0]
    assert "3 joints (arm) with 2 channels" in out[1]
    # 14 of the 14 * 3 * 2 numbers of one of five recordings.
    assert "calm 5 80 14 18 3.3%" in out
    assert "wild 4 65 14 18 none" in out
    assert out[-1].startswith("not read: wild/1.npy (")
    # Nothing is written beside the folder.
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_with_scores(run, tmp_path):
    frames = np.random.default_rng(0).uniform(size=(9, 17, 3)) * [640, 480, 1]
    (tmp_path / "walk").mkdir()
    np.save(tmp_path / "walk" / "0.npy", frames)
    status, _, err = run("info", tmp_path, "--layout", "coco17")
    assert status == 0
    assert "walk/0.npy lies between 0 and 1, as the scores of coco17" in err
    assert "train with --num-coordinates 2" in err


def test_times_of_tables(ok, fails, uneven, skeleton_file, tmp_path):
    given = ["--skeleton", skeleton_file]
    path = uneven[0]
    assert "uneven.csv, line " in fails("info", path, *given)
    assert "frames per second 20" in rows(
        ok("info", path, *given, "--frame-rate", 20)
    )
    lines = path.read_text().splitlines()
    even = [f"{40 * i},{line}" for i, line in enumerate(lines[1:]) if i != 3]
    (tmp_path / "own/walk").mkdir(parents=True)
    table = tmp_path / "own/walk/0.csv"
    table.write_text("\n".join([f"time_ms,id_{lines[0]}", *even]))
    out = rows(ok("info", table, *given))
    assert "frames per second 25" in out
    assert "missing 3.3% of the numbers" in out
    out = rows(ok("info", table.parent.parent, *given))
    assert "30 frames: 0 min 1 s at 25 frames per second" in out[0]
    assert "walk 1 30 30 30 3.3%" in out


def test_model(ok, model_folder):
    out = rows(ok("info", model_folder))
    for row in (
        "network SymGNN", "skeleton arm, 3 joints", "channels 2",
        "observed frames 6", "predicted frames 3", "frames per second 50",
        "unit mm", "classes up, down, on", "license mit",
    ):  # fmt: skip
        assert row in out
