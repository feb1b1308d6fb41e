"""Training, and the evaluation of what it wrote."""

import shutil

import numpy as np
import pytest
import torch

from symgnn_pyg.cli import evaluate, train
from symgnn_pyg.datasets import SkeletonFolder
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.training import SafetensorsCheckpoint
from tests.cli.conftest import ARM, SIZES, rows, training


def test_summary_comes_first(trained):
    out = rows(trained[1])
    assert "10 recordings in 2 classes, 160 frames: 0 min 6 s at 25" in out[0]
    assert out[1].startswith(
        "3 joints (arm) with 2 channels; positions in mm; none of the numbers"
    )
    assert "class recordings frames shortest longest missing train val" in out
    assert "calm 5 80 14 18 none 3 1" in out


def test_model_knows_the_data(trained, folder):
    model = PoseModel.from_pretrained(trained[0] / "model")
    assert model.classes == ["calm", "wild"]
    assert model.skeleton.joints == ("a", "b", "c")
    about = model.about
    assert (about["unit"], about["kind"], about["seed"]) == (
        "mm",
        "position",
        0,
    )
    assert about["frame_rate"] == 25.0
    assert about["command"].startswith(f"symgnn-pyg train --data {folder}")
    assert "num_coordinates" not in about
    best = SafetensorsCheckpoint().load_checkpoint(trained[0] / "best.ckpt")
    assert about["metrics"] == best["metrics"]
    network = model.model.arguments
    for name, value in (
        ("decoder", "both"), ("forecast", True), ("learned_pool", True),
        ("num_recent", 6), ("in_channels", 2),
    ):  # fmt: skip
        assert network[name] == value
    answer = model(np.load(folder / "calm/0.npy"))
    assert answer.future.shape == (3, 3, 2)
    # Far from the origin, as the data.
    assert 400 < answer.future.mean() < 600


def test_errors_are_in_the_unit_of_the_data(trained, folder, skeleton_file):
    """Positions give the mean joint error, not an angle."""
    about = PoseModel.from_pretrained(trained[0] / "model").about
    val = SkeletonFolder(
        folder, ARM, "val", num_observed=6, num_future=3
    )  # fmt: skip
    errors = {0: [], 1: []}
    for sample in val:
        error = sample.future - sample.x[:, -1:]
        errors[int(sample.y)].append(float(error.norm(dim=-1).mean()))
    still = np.mean([np.mean(each) for each in errors.values()])
    assert about["metrics"]["val_still"] == pytest.approx(still, rel=1e-4)
    assert still > 2


def test_nothing_is_overwritten(trained, run, fails, folder, skeleton_file):
    before = (trained[0] / "last.ckpt").read_bytes()
    err = fails(*training(trained[0], folder, skeleton_file))
    assert "pass --resume to continue it, or another --output" in err
    assert (trained[0] / "last.ckpt").read_bytes() == before
    file = trained[0] / "last.ckpt"
    status, out, err = run(*training(file, folder, skeleton_file))
    assert (status, out) == (1, "")
    assert f"{file} is a file: pass another --output" in err


def test_nothing_is_overwritten_at_home(
    trained, fails, folder, skeleton_file, monkeypatch
):
    """Shells leave the tilde in --output=~/out."""
    monkeypatch.setenv("HOME", str(trained[0].parent))
    err = fails(*training("~/out", folder, skeleton_file))
    assert f"{trained[0]} holds an earlier training" in err


def test_training_goes_on(trained, run, fails, folder, skeleton_file, tmp_path):
    err = fails(*training(tmp_path, folder, skeleton_file), "--resume")
    assert "nothing to resume" in err
    output = shutil.copytree(trained[0], tmp_path / "out")
    more = [*training(output, folder, skeleton_file), "--resume", "--steps", 6]
    status, out, err = run(*more)
    assert status == 0, err
    last = SafetensorsCheckpoint().load_checkpoint(output / "last.ckpt")
    assert last["global_step"] == 6
    assert f"Wrote {output / 'model'}" in out
    err = fails(*more, "--channels", 4, 8)
    assert "belongs to another network or other data" in err


def test_interruption_says_how_to_go_on(
    run, folder, skeleton_file, tmp_path, monkeypatch
):
    given = training(tmp_path, folder, skeleton_file)

    def stop(args, last):
        raise SystemExit(1)  # As Lightning does after Ctrl-C.

    monkeypatch.setattr(train, "train_and_save", stop)
    assert run(*given) == (130, "", "\nStopped; nothing was saved yet\n")

    def save_and_stop(args, last):
        last.touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "train_and_save", save_and_stop)
    status, _, err = run(*given)
    assert status == 130
    assert f"--resume continues from {tmp_path / 'last.ckpt'}" in err


def test_evaluation(trained, ok, folder):
    model = PoseModel.from_pretrained(trained[0] / "model")
    given = ["--model", trained[0] / "model", "--data", folder]
    out = rows(ok("evaluate", *given, "--linear"))
    test = SkeletonFolder(folder, ARM, "test", num_observed=6, num_future=3)
    assert f"{len(test)} of {len(test)} windows (test)" in out[0]
    assert out[1].startswith("mean joint error in mm at each coming time")
    assert "class 40 ms 80 ms 120 ms" in out
    found = {"model": {0: [], 1: []}, "zero velocity": {0: [], 1: []}}
    right = 0
    for sample in test:
        x, future = (part.transpose(0, 1) for part in (sample.x, sample.future))
        answer = model(x)
        right += answer.action == test.classes[int(sample.y)]
        for name, guess in (("model", answer.future), ("zero velocity", x[-1])):
            error = (guess - future).norm(dim=-1).mean(dim=-1)
            found[name][int(sample.y)].append(error)
    for method, errors in found.items():
        means = {y: torch.stack(each).mean(0) for y, each in errors.items()}
        means[2] = (means[0] + means[1]) / 2
        for y, name in enumerate(["calm", "wild", "average"]):
            (row,) = (r for r in out if r.startswith(f"{name} {method} "))
            cells = [float(cell) for cell in row.split()[-3:]]
            assert cells == pytest.approx(means[y].tolist(), rel=2e-3)
    assert sum("linear regression" in row for row in out) == 3
    assert f"top-1: {right / len(test):.1%}" in out


def test_classes_without_a_window_do_not_count(trained, ok, folder):
    given = ["--model", trained[0] / "model", "--data", folder]
    out = ok("evaluate", *given, "--windows", 1)
    assert "nan" not in out
    assert "none of them is of wild: raise --windows" in out


@pytest.fixture
def named(folder, tmp_path):
    """Files of three people whose names tell class and person."""
    root = tmp_path / "named"
    root.mkdir()
    for i, person in enumerate(("anna", "ben", "carl")):
        for name in ("calm", "wild"):
            frames = np.load(folder / name / f"{i}.npy")
            np.save(root / f"{name}-{person}.npy", frames)
    return root


def test_classes_and_people_from_names(ok, named, skeleton_file, tmp_path):
    pattern = "(?P<label>[a-z]+)-(?P<group>[a-z]+)"
    out = rows(
        ok(
            *training(tmp_path / "out", named, skeleton_file), "--steps", 1,
            "--name-pattern", pattern, "--val-groups", "ben",
            "--test-groups", "anna",
        )
    )  # fmt: skip
    assert "calm 3 45 14 16 none 1 1" in out
    model = tmp_path / "out/model"
    split = PoseModel.from_pretrained(model).about["split"]
    assert split["name_pattern"] == pattern
    assert split["groups"] == {"val": ["ben"], "test": ["anna"]}
    # The two recordings of Anna have 14 frames, and 6 windows each.
    out = ok("evaluate", "--model", model, "--data", named)
    assert "12 of 12 windows (test)" in out


def test_other_recordings(trained, ok, run, fails, folder, named):
    given = ["evaluate", "--model", trained[0] / "model", "--split", "all"]
    out = ok(*given, "--data", folder)
    assert "80 of 80 windows (all)" in out
    out = ok(
        *given, "--data", named, "--name-pattern", "(?P<label>[a-z]+)",
        "--windows", 10,
    )  # fmt: skip
    assert "9 of 42 windows" in out
    with pytest.raises(SystemExit):
        run(*given, "--data", folder, "--linear")
    splits = named.parent / "splits"
    shutil.copytree(folder, splits / "train")
    assert "choose one of them as --split" in fails(*given, "--data", splits)


def test_recordings_in_another_unit(trained, fails, folder, tmp_path):
    given = ["evaluate", "--model", trained[0] / "model", "--split", "all"]
    err = fails(*given, "--data", folder, "--unit", "m")
    assert "Expected --unit mm, as in training, got m" in err
    (tmp_path / "new/calm").mkdir(parents=True)
    rows = ["a_x,a_y,b_x,b_y,c_x,c_y", "m,m,m,m,m,m", *["1,2,3,4,5,6"] * 20]
    (tmp_path / "new/calm/0.csv").write_text("\n".join(rows))
    err = fails(*given, "--data", tmp_path / "new")
    assert "0.csv states the unit m, expected mm; convert" in err


def test_classes_are_matched_by_name(ok, run, folder, tmp_path):
    """The data may lack some, and have them in another order."""
    names = ["wild", "other", "calm", "more", "five", "six"]
    network = SymGNN(ARM, 6, in_channels=2, **SIZES)
    model = PoseModel(network, classes=names).eval()
    model.save_pretrained(tmp_path / "six")
    test = SkeletonFolder(folder, ARM, "test", num_observed=6, num_future=3)
    right = {1: 0, 5: 0}
    for sample in test:
        shares = model(sample.x.transpose(0, 1)).probabilities
        order = sorted(shares, key=lambda name: -shares[name])
        for k in right:
            right[k] += test.classes[int(sample.y)] in order[:k]
    out = ok("evaluate", "--model", tmp_path / "six", "--data", folder)
    for k, count in right.items():
        assert f"top-{k}: {count / len(test):.1%}\n" in out
    with pytest.raises(ValueError, match=r"not know the classes new; it knows"):
        evaluate.places(["calm"], ["calm", "new"], "six")


def test_a_single_class_is_not_recognised(trained, ok, folder, tmp_path):
    shutil.copytree(folder / "calm", tmp_path / "new/calm")
    out = ok(
        "evaluate", "--model", trained[0] / "model", "--data",
        tmp_path / "new", "--split", "all",
    )  # fmt: skip
    assert "top-1 is not measured: the data have a single class" in out
    assert "average" not in out


def test_gaps_are_counted_and_filled(fails, folder, skeleton_file, tmp_path):
    root = shutil.copytree(folder, tmp_path / "motion")
    frames = np.load(root / "calm/0.npy")
    frames[3, 1] = np.nan
    np.save(root / "calm/0.npy", frames)
    given = [
        *training(tmp_path / "out", root, skeleton_file), "--steps", 1,
        "--kind", "rotation",
    ]  # fmt: skip
    assert "pass --fill-gaps to interpolate" in fails(*given)
    # The gaps are filled, and the two channels are no exponential maps.
    assert "exponential maps with" in fails(*given, "--fill-gaps")
