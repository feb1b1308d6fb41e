import json

import numpy as np
import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.skeleton import joint_positions
from symgnn_pyg.visualization import view_poses
from tests.cli.conftest import ARM, SIZES


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.npy"
    np.save(path, np.random.default_rng(0).normal(5, 2, (9, 3, 2)))
    return path


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.html", b"<!DOCTYPE html>"), ("a.gif", b"GIF8"), ("a.png", b"\x89PNG")],
)
def test_formats(ok, clip, skeleton_file, tmp_path, name, start):
    out = tmp_path / name
    printed = ok("view", clip, "--output", out, "--skeleton", skeleton_file)
    assert printed == f"Wrote {out}\n"
    assert out.read_bytes().startswith(start)


def test_pages_that_share_plotly(ok, run, clip, skeleton_file, tmp_path):
    given = ["view", clip, "--skeleton", skeleton_file, "--plotlyjs"]
    for name in ("a.html", "b.html"):
        ok(*given, "directory", "--output", tmp_path / name)
        assert (tmp_path / name).stat().st_size < 100_000
    assert (tmp_path / "plotly.min.js").exists()
    ok(*given, "cdn", "--output", tmp_path / "c.html")
    assert "https://cdn.plot.ly/" in (tmp_path / "c.html").read_text()
    status, _, err = run(*given, "cdn", "--output", tmp_path / "c.gif")
    assert (status, (tmp_path / "c.gif").exists()) == (1, False)
    assert "--plotlyjs applies to .html files, got it for" in err


@pytest.fixture
def drawn(monkeypatch):
    """The arguments of the last viewer."""
    kept = {}

    def keep(poses, skeleton, frame_rate, path, **options):
        figure = view_poses(poses, skeleton, frame_rate, path=path, **options)
        channels = slice(options["num_coordinates"])
        shown = {name: given[..., channels] for name, given in poses.items()}
        kept.update(options, poses=shown, frame_rate=frame_rate, figure=figure)

    monkeypatch.setattr("symgnn_pyg.visualization.view_poses", keep)
    return kept


def test_observed_and_predicted(ok, clip, model_folder, tmp_path, drawn):
    given = ["view", clip, "--output", tmp_path / "a.html"]
    out = ok(*given, "--model", model_folder)
    assert out.splitlines()[0].split()[0] in ("up", "down", "on")
    assert drawn["frame_rate"] == 50
    poses = drawn["poses"]
    np.testing.assert_array_equal(poses["observed"], np.load(clip)[-6:])
    assert poses["predicted"].shape == (3, 3, 2)
    whole = poses["predicted"]
    ok(*given, "--model", model_folder, "--every", 2, "--centre", "b")
    assert (drawn["frame_rate"], drawn["centre"]) == (25, "b")
    np.testing.assert_array_equal(
        drawn["poses"]["observed"], np.load(clip)[[-5, -3, -1]]
    )
    np.testing.assert_array_equal(drawn["poses"]["predicted"], whole[1:2])


def test_whole_recordings(ok, clip, tmp_path, drawn):
    network = SymGNN(ARM, 2, **{**SIZES, "num_future": 0}, in_channels=2)
    model = PoseModel(network, samples="clips", num_observed=6)
    model.save_pretrained(tmp_path / "model")
    given = ["view", clip, "--output", tmp_path / "a.html"]
    ok(*given, "--model", tmp_path / "model", "--every", 4)
    np.testing.assert_array_equal(
        drawn["poses"]["observed"], np.load(clip)[::4]
    )


@pytest.mark.parametrize("layout", ["cmu26", "h36m20"])
def test_rotations(ok, tmp_path, drawn, layout):
    frames = np.random.default_rng(0).normal(size=(4, int(layout[-2:]), 3))
    np.save(tmp_path / "turned.npy", frames)
    ok(
        "view", tmp_path / "turned.npy", "--output", tmp_path / "a.html",
        "--layout", layout, "--rotations", "--frame-rate", 60,
    )  # fmt: skip
    expected = joint_positions(torch.from_numpy(frames), layout)
    np.testing.assert_allclose(drawn["poses"]["turned.npy"], expected)
    assert drawn["frame_rate"] == 60


def test_rotations_are_no_positions(fails, ok, tmp_path, drawn):
    path = tmp_path / "walk.npz"
    poses = np.random.default_rng(0).normal(size=(9, 66))
    np.savez(path, poses=poses)
    given = ["view", path, "--format", "amass", "--output", tmp_path / "a.html"]
    message = "holds rotations, which would be drawn as positions: pass --rota"
    assert message in fails(*given)
    body = Skeleton.get("smpl22").to_dict() | {"offsets": [[0, 1, 0]] * 22}
    (tmp_path / "body.json").write_text(json.dumps(body))
    ok(*given, "--rotations", "--skeleton", tmp_path / "body.json")
    poses = torch.from_numpy(poses).view(9, 22, 3)
    expected = joint_positions(poses, Skeleton(**body))
    np.testing.assert_allclose(drawn["poses"]["walk.npz"], expected)
    # An array does not tell what it holds, but a model does.
    np.save(tmp_path / "turn.npy", np.ones((9, 3, 3)))
    network = SymGNN(ARM, 2, **SIZES)
    for kind in ("rotation", "position"):
        model = tmp_path / kind
        PoseModel(network).save_pretrained(model, kind=kind)
        given = ["view", tmp_path / "turn.npy", "--model", model]
        err = fails(*given, *["--rotations"] * (kind == "position"))
        assert f"turn.npy holds {kind}s, which" in err
    err = fails("view", "walk.bvh", "--rotations")
    assert "walk.bvh holds positions, which are drawn as they are: lea" in err


def test_a_score_is_no_coordinate(ok, tmp_path, skeleton_file, drawn):
    frames = np.random.default_rng(0).normal(size=(2, 4, 3, 3))
    np.save(tmp_path / "pair.npy", frames)
    ok(
        "view", tmp_path / "pair.npy", "--output", tmp_path / "a.html",
        "--skeleton", skeleton_file, "--num-coordinates", 2,
    )  # fmt: skip
    expected = frames[..., :2].swapaxes(0, 1)
    np.testing.assert_array_equal(drawn["poses"]["pair.npy"], expected)


def test_the_score_of_a_layout(run, tmp_path, drawn):
    frames = np.random.default_rng(0).uniform(size=(4, 17, 3)) * [640, 480, 1]
    np.save(tmp_path / "coco.npy", frames)
    given = ["view", tmp_path / "coco.npy", "--layout", "coco17"]
    _, _, err = run(*given, "--output", tmp_path / "a.html")
    assert err == (
        "Note: The third channel of 'coco.npy' is not drawn: it lies between "
        "0 and 1, as the scores of coco17 do; if it is a coordinate, pass "
        "--num-coordinates 3\n"
    )
    assert {trace.type for trace in drawn["figure"].data} == {"scatter"}
    for channels, kind in ((2, "scatter"), (3, "scatter3d")):
        more = ["--num-coordinates", channels, "--output", tmp_path / "b.html"]
        assert run(*given, *more)[2] == ""
        assert {trace.type for trace in drawn["figure"].data} == {kind}


def test_unknown_format(fails, clip):
    err = fails("view", clip, "--output", "motion.txt")
    assert "ends in .html or .gif" in err


def test_fewer_predicted_frames_than_are_left_out(fails, clip, model_folder):
    given = ["view", clip, "--model", model_folder, "--every", 4]
    err = fails(*given)
    assert "--every must be at most 3, the number of predicted frames" in err


def test_bodies_in_images(ok, people, tmp_path, drawn):
    given = ["view", people, "--format", "openpose", "--max-bodies", 2]
    ok(*given, "--output", tmp_path / "a.html")
    assert drawn["up"] == "-y"
    (pair,) = drawn["poses"].values()
    assert pair.shape == (5, 2, 25, 2)
    # Neither the origin nor the score is drawn.
    assert np.isnan(pair[1]).all()
    assert np.argwhere(np.isnan(pair[3]).any(-1)).tolist() == [[1, 1]]
    np.testing.assert_array_equal(pair[4, 0, 0], [104, 40])


def test_the_axis_that_points_up(ok, clip, skeleton_file, tmp_path, drawn):
    given = ["view", clip, "--output", tmp_path / "a.html"]
    given += ["--skeleton", skeleton_file]
    ok(*given)
    assert drawn["up"] == "y"
    ok(*given, "--up=-y")
    assert drawn["up"] == "-y"


def test_uneven_times(ok, fails, uneven, skeleton_file, tmp_path, drawn):
    given = ["view", uneven[0], "--skeleton", skeleton_file]
    given += ["--output", tmp_path / "a.html"]
    assert "pass the --frame-rate to resample to, such as 49" in fails(*given)
    ok(*given, "--frame-rate", 25)
    assert drawn["frame_rate"] == 25
    speed = np.diff(drawn["poses"][uneven[0].name][:, 0, 0]) * 25
    np.testing.assert_allclose(speed, 1.0)


def test_padding_is_noted(run, tmp_path):
    frames = np.ones((9, 26, 3))
    frames[6:] = 0
    np.save(tmp_path / "a.npy", frames)
    given = ["view", tmp_path / "a.npy", "--output", tmp_path / "a.html"]
    given += ["--layout", "cmu26"]
    err = run(*given)[2]
    assert err.startswith(f"Note: {tmp_path}/a.npy: the last 3 of 9 frames are")
    assert run(*given, "--rotations")[1:] == (f"Wrote {given[3]}\n", "")
