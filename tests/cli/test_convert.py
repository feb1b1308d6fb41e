import json
import re

import numpy as np
import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.cli.reading import resampled
from symgnn_pyg.cli.writing import write_motion
from symgnn_pyg.io import Motion, read_bvh, read_mediapipe, read_recording
from symgnn_pyg.skeleton import conversion
from tests.cli.conftest import ARM

BVH = """HIERARCHY
ROOT hip
{{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT knee
  {{
    OFFSET 0 -4 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {{
      OFFSET 0 -3 1
    }}
  }}
}}
MOTION
Frames: {count}
Frame Time: 0.02
{rows}
"""


@pytest.fixture
def bvh(tmp_path):
    table = np.random.default_rng(0).normal(0, 20, (9, 9))
    rows = "\n".join(" ".join(map(str, row)) for row in table)
    path = tmp_path / "leg.bvh"
    path.write_text(BVH.format(count=9, rows=rows))
    return path


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_csv_and_back(ok, tmp_path, skeleton_file, kind):
    frames = np.random.default_rng(0).normal(size=(5, 3, 2)).astype(kind)
    np.save(tmp_path / "a.npy", frames)
    given = ["--skeleton", skeleton_file]
    ok("convert", tmp_path / "a.npy", tmp_path / "b.csv", *given)
    head = (tmp_path / "b.csv").read_text().splitlines()[0]
    assert head == "a_x,a_y,b_x,b_y,c_x,c_y"
    ok("convert", tmp_path / "b.csv", tmp_path / "c.npy", *given)
    back = np.load(tmp_path / "c.npy").astype(kind)
    np.testing.assert_array_equal(back, frames)


def test_bvh_and_its_frame_rate(ok, bvh, tmp_path):
    out = ok("convert", bvh, tmp_path / "leg.npy")
    assert "9 frames at 50 per second" in out
    motion = read_bvh(bvh)
    np.testing.assert_array_equal(np.load(tmp_path / "leg.npy"), motion.frames)
    ok("convert", bvh, tmp_path / "slow.npy", "--frame-rate", 25)
    slow = np.load(tmp_path / "slow.npy")
    np.testing.assert_allclose(slow, motion.frames[::2], atol=1e-12)


def test_layouts_with_a_report(ok, tmp_path):
    coco = np.random.default_rng(0).normal(size=(4, 17, 2))
    np.save(tmp_path / "coco.npy", coco)
    out = ok(
        "convert", tmp_path / "coco.npy", tmp_path / "h36m.npy",
        "--layout", "coco", "--to", "h36m17",
    )  # fmt: skip
    convert = conversion("coco17", "h36m17")
    assert out.startswith(f"{convert}\nWrote ")
    assert "3 lost: nose, left eye, right eye" in out
    expected = convert(torch.from_numpy(coco), dim=1)
    np.testing.assert_array_equal(np.load(tmp_path / "h36m.npy"), expected)


def test_to_a_skeleton_of_ones_own(ok, bvh, tmp_path, skeleton_file):
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"joints": ["hip", "knee"], "bones": [[1, 0]]}))
    out = ok("convert", bvh, tmp_path / "own.npy", "--to", own)
    assert "1 lost: knee end" in out
    frames = read_bvh(bvh).frames
    np.testing.assert_allclose(np.load(tmp_path / "own.npy"), frames[:, :2])


def test_joints_are_selected_by_name(ok, fails, bvh, tmp_path, skeleton_file):
    leg = tmp_path / "leg.json"
    leg.write_text(
        json.dumps({"joints": ["knee end", "hip"], "bones": [[0, 1]]})
    )
    given = ["convert", bvh, tmp_path / "leg.npy", "--skeleton"]
    ok(*given, leg)
    frames = np.load(tmp_path / "leg.npy")
    np.testing.assert_array_equal(frames, read_bvh(bvh).frames[:, [2, 0]])
    err = fails(*given, skeleton_file)
    assert re.search(r"lacks a, b, c of .*has hip, knee", err)


def test_gaps_stay_gaps(ok, tmp_path):
    point = [{"x": 1.0, "y": 2.0, "z": float(j)} for j in range(33)]
    path = tmp_path / "landmarks.json"
    path.write_text(json.dumps([point, None, point]))
    out = tmp_path / "landmarks.npy"
    ok("convert", path, out, "--format", "mediapipe", "--to", "coco17")
    frames = np.load(out)
    assert np.isnan(frames).all(axis=(1, 2)).tolist() == [False, True, False]
    ok(
        "convert", path, out, "--format", "mediapipe", "--fill-gaps",
    )  # fmt: skip
    whole = read_mediapipe(path).frames
    np.testing.assert_array_equal(np.load(out)[1], whole[0])


def test_joints_that_were_not_seen_are_gaps(ok, people, tmp_path):
    given = ["convert", people, tmp_path / "out.npy", "--format", "openpose"]
    ok(*given, "--max-bodies", 2)
    assert np.isnan(np.load(tmp_path / "out.npy")[:, 1]).all()
    ok(*given, "--max-bodies", 2, "--fill-gaps")
    frames = np.load(tmp_path / "out.npy")
    expected = [[x, 10.0 * t, 0.5] for t, x in enumerate(range(100, 105))]
    np.testing.assert_allclose(frames[0, :, 0], expected)
    np.testing.assert_allclose(frames[1, :, 1, 0], [1, 2, 3, 4, 5])


def test_results_of_coco(ok, tmp_path):
    entries = [
        {"image_id": f"{i}.jpg", "keypoints": [float(i), 2.0, 0.5] * 17}
        for i in (10, 2, 4)
    ]
    entries[0]["keypoints"][2] = 0.0
    (tmp_path / "results.json").write_text(json.dumps(entries))
    given = ["convert", tmp_path / "results.json", tmp_path / "out.npy"]
    ok(*given, "--format", "coco")
    frames = np.load(tmp_path / "out.npy")
    assert frames.shape == (1, 9, 17, 3)
    gone = np.isnan(frames).all(-1)[0]
    assert np.flatnonzero(gone.all(1)).tolist() == [1, 3, 4, 5, 6, 7]
    assert (gone[8, 0], gone[8, 1:].any()) == (True, False)
    ok(*given, "--format", "coco", "--fill-gaps")
    filled = np.load(tmp_path / "out.npy")[0, :, 1, 0]
    np.testing.assert_allclose(filled, np.arange(2, 11), atol=1e-6)


def test_tables_of_trackers(ok, fails, tmp_path, skeleton_file):
    header = ["scorer,m,m,m,m,m,m,m,m,m", "bodyparts,c,c,c,a,a,a,b,b,b"]
    header.append("coords" + ",x,y,likelihood" * 3)
    rows = [
        f"{t}," + ",".join(f"{t + k}" for k in range(1, 10)) for t in (0, 1)
    ]
    table = tmp_path / "mouse.csv"
    table.write_text("\n".join(header + rows) + "\n")
    given = ["convert", table, tmp_path / "out.csv", "--format", "deeplabcut"]
    err = fails(*given)
    assert (
        "names joints, but no bones: pass a --layout or --skeleton of c, a, b"
        in err
    )
    ok(*given, "--skeleton", skeleton_file)
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0].startswith("a_x,a_y,a_score,b_x")
    assert lines[1] == "4.0,5.0,6.0,7.0,8.0,9.0,1.0,2.0,3.0"


def test_resampling_of_several_bodies():
    frames = np.random.default_rng(0).normal(size=(2, 9, 3, 2))
    motion = Motion(frames, ARM, 60.0)
    fast = resampled(motion, 120.0, "clip")
    assert fast.frame_rate == 120.0
    assert fast.frames.shape == (2, 17, 3, 2)
    np.testing.assert_allclose(fast.frames[:, ::2], frames)
    middle = (frames[:, :-1] + frames[:, 1:]) / 2
    np.testing.assert_allclose(fast.frames[:, 1::2], middle)
    assert resampled(motion, 60.1, "clip") is motion


@pytest.mark.parametrize(
    ("output", "more", "message"),
    [
        ("clip.npy", [], "would be overwritten"),
        ("out.txt", [], "ends in .npy or .csv"),
        ("out.bvh", [], "would hold rotations, which positions do not det"),
        ("out.npy", ["--asf", "a.asf"], "--asf applies to .amc files, got it"),
        ("out.npy", ["--key", "a"], "--key applies to .npz files, got it"),
        ("out.npy", ["--index-columns", 1], "to .csv and .tsv files"),
        ("out.csv", [], "holds one body, but there are 4"),
        ("out.npy", ["--frame-rate", 30], "leave out --frame-rate"),
        ("out.npy", ["--to", "nothing"], "Expected the name of a built-in"),
        ("out.npy", ["--axes", "MTVX"], "Expected --axes to name each"),
    ],
)
def test_what_cannot_be_converted(
    fails, tmp_path, skeleton_file, output, more, message
):
    np.save(tmp_path / "clip.npy", np.ones((4, 5, 3, 2)))
    err = fails(
        "convert", tmp_path / "clip.npy", tmp_path / output,
        "--skeleton", skeleton_file, *more,
    )  # fmt: skip
    assert message in err


def test_arrays_of_another_skeleton(run, tmp_path):
    np.save(tmp_path / "clip.npy", np.ones((9, 3, 2)))
    files = tmp_path / "clip.npy", tmp_path / "out.csv"
    status, _, err = run("convert", *files, "--layout", "coco17")
    assert (status, files[1].exists()) == (1, False)
    assert "has shape [9, 3, 2], expected [T, V, C] with V = 17 joints" in err


@pytest.mark.parametrize("name", ["a,b", "a;b", " c"])
def test_names_that_do_not_fit_into_a_table(tmp_path, name):
    skeleton = Skeleton(["c", name], [(1, 0)])
    with pytest.raises(ValueError, match=re.escape(repr(name))):
        write_motion(tmp_path / "a.csv", np.ones((2, 2, 3)), skeleton)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize(
    "names",
    [
        [" b", '"d"', '"e', "#f", "\ufeffg"],
        # Some differ only in marks.
        ["a ", "a_x", "a", "1", "a.y", "a\u2028b", 'a"b', "a#", "\xe9", "x_",
         "nan", "a  b", "0", "a'b'"],
    ],
)  # fmt: skip
def test_names_that_fit_into_a_table(tmp_path, names, channels):
    skeleton = Skeleton(names, [(j, 0) for j in range(1, len(names))])
    frames = np.random.default_rng(0).normal(size=(4, len(names), channels))
    write_motion(tmp_path / "a.csv", frames, skeleton)
    back = read_recording(tmp_path / "a.csv", skeleton=skeleton).frames
    np.testing.assert_array_equal(back, frames)


@pytest.mark.parametrize("text", ["[1]", "{", '{"joints": ["a"]}'])
def test_what_is_no_skeleton(fails, tmp_path, text):
    path = tmp_path / "wrong.json"
    path.write_text(text)
    err = fails(
        "convert", "clip.npy", "out.npy", "--skeleton", path
    )  # fmt: skip
    assert f"{path} does not describe a skeleton" in err


def test_bvh_at_another_rate(ok, bvh, tmp_path):
    ok("convert", bvh, tmp_path / "slow.bvh", "--frame-rate", 25)
    slow = read_bvh(tmp_path / "slow.bvh")
    assert slow.frame_rate == 25
    expected = read_bvh(bvh).frames[::2]
    np.testing.assert_allclose(slow.frames, expected, atol=1e-5)


def test_rotations_are_interpolated_the_short_way(ok, tmp_path):
    rows = "\n".join(f"0 0 0 {angle} 0 0 0 0 0" for angle in (170, 190, 210))
    path = tmp_path / "turn.bvh"
    path.write_text(BVH.format(count=3, rows=rows))
    ok("convert", path, tmp_path / "a.npy", "--rotations", "--frame-rate", 100)
    angles = np.rad2deg(np.load(tmp_path / "a.npy")[:, 0, 2]) % 360
    np.testing.assert_allclose(angles, [170, 180, 190, 200, 210])


def test_rotations_refuse_options_of_arrays(run, bvh, tmp_path):
    given = ["convert", bvh, tmp_path / "a.npy", "--rotations"]
    status, _, err = run(*given, "--key", "x")
    assert (status, (tmp_path / "a.npy").exists()) == (1, False)
    assert f"--key applies to .npz files, got it for {bvh}" in err


def test_positions_do_not_become_bvh(fails, bvh, tmp_path):
    np.save(tmp_path / "a.npy", read_bvh(bvh).frames)
    given = ["convert", tmp_path / "a.npy", tmp_path / "a.bvh"]
    err = fails(*given, "--skeleton", bvh)
    assert "would hold rotations, which positions do not determine" in err
    assert "Rotations are read from .bvh files" in fails(*given, "--rotations")
