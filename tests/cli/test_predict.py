import json
from pathlib import Path

import numpy as np
import pytest

from symgnn_pyg.cli.reading import check_kind
from symgnn_pyg.cli.writing import write_motion
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.io import read_bvh_rotations, read_recording
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.transforms import UniformSample
from tests.cli.conftest import ARM, SIZES
from tests.io.test_bvh import arm, motion


@pytest.fixture
def clip(tmp_path):
    frames = np.random.default_rng(1).normal(5, 2, (20, 3, 2))
    np.save(tmp_path / "clip.npy", frames)
    return tmp_path / "clip.npy"


def rows(text):
    return [line.split() for line in text.splitlines()]


def test_classes_and_poses(ok, model_folder, clip, tmp_path):
    answer = PoseModel.from_pretrained(model_folder)(np.load(clip))
    options = ["predict", "--model", model_folder, "--input", clip]
    lines = rows(ok(*options, "--top", 2, "--output", tmp_path / "out.npy"))
    best = sorted(answer.probabilities.items(), key=lambda item: -item[1])
    at = lines.index(["class", "probability"]) + 1
    assert lines[at : at + 2] == [[n, f"{p:.1%}"] for n, p in best[:2]]
    assert lines[at + 2] == []
    sentence = "Predicted 3 frames of 3 joints, 60 ms, in mm"
    assert sentence.split() in lines
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), answer.future)

    ok(*options, "--output", tmp_path / "out.csv")
    written = read_recording(tmp_path / "out.csv", skeleton=ARM).frames
    np.testing.assert_array_equal(written, answer.future)

    ok(*options, "--output", tmp_path / "out.json")
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["action"] == answer.action == best[0][0]
    assert found["probabilities"] == answer.probabilities
    assert found["future"] == answer.future.tolist()
    assert found["joints"] == list(ARM.joints)
    assert (found["unit"], found["frame_rate"]) == ("mm", 50.0)


def test_every_window(ok, model_folder, clip, tmp_path):
    frames = np.load(clip)
    answer = PoseModel.from_pretrained(model_folder)(frames, stride=5)
    out = ok(
        "predict", "--model", model_folder, "--input", clip, "--stride", 5,
        "--output", tmp_path / "out.json",
    )  # fmt: skip
    found = [row for row in rows(out) if row and row[0].isdigit()]
    assert [row[:3] for row in found] == [
        [str(5 * w), str(5 * w + 5), name]
        for w, name in enumerate(answer.action)
    ]
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["future"] == answer.future.tolist()
    up = answer.probabilities["up"].tolist()
    assert document["probabilities"]["up"] == up


def test_whole_recordings(run, ok, tmp_path):
    sizes = {**SIZES, "num_observed": 5, "num_future": 0, "in_channels": 2}
    network = SymGNN(ARM, 2, **sizes).eval()
    model = PoseModel(
        network,
        UniformSample(5, random=False),
        classes=["down", "up"],
        samples="clips",
        num_observed=8,
    )
    model.save_pretrained(tmp_path / "model")
    names = [f"{name}/{i}.npy" for name in model.classes for i in range(2)]
    best = []
    for i, name in enumerate(names):
        frames = np.random.default_rng(i).normal(5, 2, (3 + 4 * i, 3, 2))
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "data" / name, frames)
        out = ok(
            "predict", "--model", tmp_path / "model",
            "--input", tmp_path / "data" / name,
            "--output", tmp_path / "out.json",
        )  # fmt: skip
        assert f"{3 + 4 * i} frames; the answer is for all of them" in out
        best.append(model(frames).action)
        written = json.loads((tmp_path / "out.json").read_text())
        assert (written["action"], written["future"]) == (best[-1], None)
        assert rows(out)[3][0] == best[-1]
    right = sum(a == b.split("/")[0] for a, b in zip(best, names, strict=True))
    out = ok(
        "evaluate", "--model", tmp_path / "model", "--data", tmp_path / "data",
        "--split", "all",
    )  # fmt: skip
    assert "4 of 4 clips (all), 8 observed frames each" in out
    assert f"top-1: {right / 4:.1%}" in out
    assert "clips" in ok("info", tmp_path / "model")
    for option, value, message in (
        ("--stride", 2, "recognises whole recordings"),
        ("--output", tmp_path / "out.npy", "pass a .json file"),
    ):
        _, _, wrong = run(
            "predict", "--model", tmp_path / "model", option, value,
            "--input", tmp_path / "data" / names[0],
        )  # fmt: skip
        assert message in wrong


def test_bodies_are_recognised_together(ok, model_folder, tmp_path):
    frames = np.random.default_rng(2).normal(5, 2, (4, 8, 3, 2))
    np.save(tmp_path / "pair.npy", frames)
    answer = PoseModel.from_pretrained(model_folder)(frames, num_bodies=[4])
    ok(
        "predict", "--model", model_folder, "--input", tmp_path / "pair.npy",
        "--output", tmp_path / "out.json",
    )  # fmt: skip
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["action"] == answer.action[0]
    assert found["future"] == answer.future.tolist()
    up = float(answer.probabilities["up"][0])
    assert found["probabilities"]["up"] == up


def test_gaps_and_too_few_frames(run, fails, model_folder, tmp_path):
    frames = np.random.default_rng(3).normal(size=(8, 3, 2))
    frames[6, 1] = np.nan
    np.save(tmp_path / "gaps.npy", frames)
    given = ["predict", "--model", model_folder, "--input"]
    err = fails(*given, tmp_path / "gaps.npy")
    assert "pass --fill-gaps to interpolate" in err
    assert run(*given, tmp_path / "gaps.npy", "--fill-gaps")[0] == 0
    short = tmp_path / "short.csv"
    write_motion(short, frames[:4], ARM)
    view = ["view", short, "--model", model_folder]
    for command in ([*given, short], [*given, short, "--stride", 1], view):
        err = fails(*command)
        assert err == (
            f"Error: {short}: the model observes 6 frames at 50 per second, "
            f"but the recording has 4: pass a longer one, or train a model "
            f"that observes less with `symgnn-pyg train --observed 4`\n"
        )


def test_other_channels_name_the_file(fails, model_folder, tmp_path):
    np.save(tmp_path / "deep.npy", np.ones((8, 3, 3)))
    given = ["predict", "--model", model_folder, "--input"]
    err = fails(*given, tmp_path / "deep.npy")
    assert err.startswith(f"Error: {tmp_path}/deep.npy: Expected ")
    assert "the network was trained on 2 channels" in err


def test_positions_are_no_rotations(fails):
    for command in ("predict", "view"):
        given = ["--input", "a.amc"] if command == "predict" else ["a.amc"]
        err = fails(command, *given, "--model", "cmu-light-short")
        assert "a.amc is read as positions, but the model takes rotati" in err
    with pytest.raises(ValueError, match=r"as rotations, but .* takes positi"):
        check_kind(Path("a.npz"), "amass", {"kind": "position"})
    for path, form in (("a.npy", None), ("a.json", "mediapipe")):
        check_kind(Path(path), form, {"kind": "position"})
    check_kind(Path("a.npy"), None, {"kind": "rotation"})


def test_output_of_another_kind_is_refused_first(fails, tmp_path):
    err = fails(
        "predict", "--model", "nothing", "--input", tmp_path / "absent.npy",
        "--output", tmp_path / "out.txt",
    )  # fmt: skip
    assert "ends in .npy or .csv or .json" in err


def test_bvh_to_bvh(run, fails, tmp_path):
    path, output = tmp_path / "a.bvh", tmp_path / "b.bvh"
    rows = np.random.default_rng(0).normal(0, 20, (12, 9)).tolist()
    path.write_text(arm() + motion(*rows, time=0.02))
    recording, translation = read_bvh_rotations(path)
    network = SymGNN(recording.skeleton, 3, **SIZES)
    given = ["predict", "--input", path, "--output", output, "--model"]
    for kind in ("position", "rotation"):
        PoseModel(network, classes=["up", "down", "on"]).save_pretrained(
            tmp_path / kind, kind=kind, frame_rate=50.0
        )
    err = fails(*given, tmp_path / "position")
    assert "predicts positions, which do not determine them; train on" in err
    assert run(*given, tmp_path / "rotation")[0] == 0
    future = PoseModel(network)(recording.frames).future
    back, places = read_bvh_rotations(output)
    np.testing.assert_allclose(back.frames[:, :2], future[:, :2], atol=1e-4)
    expected = np.broadcast_to(translation[-1], places.shape)
    np.testing.assert_allclose(places, expected, atol=1e-6)
    head = path.read_text().split("Frames")[0]
    assert output.read_text().startswith(f"{head}Frames: 3\nFrame Time: 0.02\n")
    assert run(*given, tmp_path / "rotation", "--stride", 2)[0] == 1


def test_uneven_times(ok, model_folder, uneven, tmp_path):
    path, times = uneven
    given = ["predict", "--model", model_folder, "--output", tmp_path / "a.npy"]
    out = ok(*given, "--input", path)
    text = "its times are uneven; resampled to 50 frames per second"
    assert f"{path}: {text}" in out
    even = np.arange(times[0], times[-1], 1 / 50)
    frames = np.zeros((len(even), 3, 2))
    frames[..., 0], frames[..., 1] = even[:, None], range(3)
    expected = PoseModel.from_pretrained(model_folder)(frames).future
    np.testing.assert_allclose(np.load(tmp_path / "a.npy"), expected, atol=1e-5)


@pytest.mark.parametrize("command", [["predict", "--input"], ["view"]])
def test_a_table_in_another_unit(run, model_folder, uneven, command, tmp_path):
    """The model takes mm."""
    head, *lines = uneven[0].read_text().split("\n")
    given = [*command, uneven[0], "--model", model_folder]
    given += ["--output", tmp_path / "out.html"] * (command == ["view"])
    for unit, status in (("mm", 0), ("cm", 1)):
        table = [head, "s" + f",{unit}" * 6, *lines]
        uneven[0].write_text("\n".join(table))
        found, _, err = run(*given)
        assert found == status, err
    assert "states the unit cm, but the model takes mm; convert the num" in err


def test_the_recording_is_not_overwritten(fails, model_folder, clip):
    before = clip.read_bytes()
    given = ["predict", "--model", model_folder, "--input", clip]
    err = fails(*given, "--output", clip)
    assert f"{clip} would be overwritten: pass another --output" in err
    assert clip.read_bytes() == before
