import importlib
import json
import shutil
import subprocess

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.animation import FFMpegWriter, FuncAnimation
from PIL import Image

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.visualization import animate_poses


@pytest.fixture
def poses():
    torch.manual_seed(0)
    return {
        "observed": torch.randn(2, 3, 2).double(),
        "true": torch.randn(3, 3, 2, requires_grad=True),
        "predicted": torch.randn(3, 3, 2).bfloat16(),
    }


def test_gif(poses, arm, tmp_path):
    path = tmp_path / "new" / "motion.gif"
    assert isinstance(animate_poses(poses, arm, 25, path), FuncAnimation)
    with Image.open(path) as image:
        assert image.n_frames == 5
        assert image.info["duration"] == 40
    assert [entry.name for entry in path.parent.iterdir()] == ["motion.gif"]


def test_mp4(poses, arm, tmp_path):
    if not FFMpegWriter.isAvailable() or shutil.which("ffprobe") is None:
        pytest.skip("No ffmpeg here")
    path = tmp_path / "motion.mp4"
    animate_poses(poses, arm, 25, path)
    probe = subprocess.run(
        [
            *("ffprobe", "-v", "error", "-count_frames", "-show_streams"),
            *("-of", "json", path),
        ],
        capture_output=True,
        check=True,
    )
    (stream,) = json.loads(probe.stdout)["streams"]
    assert stream["nb_read_frames"] == "5"
    assert stream["r_frame_rate"] == "25/1"


def test_frames(poses, arm, tmp_path, monkeypatch):
    """Each frame shows its poses, at its time, in the same limits."""
    seen = []

    class Spy(FuncAnimation):
        def _draw_frame(self, frame):
            super()._draw_frame(frame)
            shown = [ax.lines[-1].get_xydata() for ax in self._fig.axes]
            grey = [ax.title.get_color() != "black" for ax in self._fig.axes]
            boxes = [ax.axison for ax in self._fig.axes]
            seen.append((self._fig.get_suptitle(), shown, grey, boxes))

    module = importlib.import_module("symgnn_pyg.visualization.animate_poses")
    monkeypatch.setattr(module, "FuncAnimation", Spy)
    animate_poses(poses, arm, 25, tmp_path / "motion.gif")
    titles, shown, grey, boxes = zip(*seen[-5:], strict=True)
    assert titles == ("-40 ms", "0 ms", "40 ms", "80 ms", "120 ms")
    nothing = torch.full((3, 2), torch.nan)
    observed, true, _ = (motion.detach().float() for motion in poses.values())
    for frame, (a, b) in enumerate(
        [
            (observed[0], nothing),
            (observed[1], nothing),
            (observed[1], true[0]),
            (observed[1], true[1]),
            (observed[1], true[2]),
        ]
    ):
        np.testing.assert_allclose(shown[frame][0], a, rtol=1e-6)
        np.testing.assert_allclose(shown[frame][1], b, rtol=1e-6)
    assert grey[1] == [False, True, True]
    assert grey[2] == [True, False, False]
    assert boxes[1] == [True, False, False]
    assert boxes[2] == [True, True, True]
    limits = {(ax.get_xlim(), ax.get_ylim()) for ax in plt.gcf().axes}
    assert len(limits) == 1


def test_in_space(tmp_path):
    motion = torch.randn(1, 26, 3)
    animate_poses(
        {"a": motion},
        Skeleton.get("cmu26"),
        25,
        tmp_path / "motion.gif",
        up="z",
    )
    (ax,) = plt.gcf().axes
    assert ax.name == "3d"
    x, y, z = motion[0].T
    np.testing.assert_allclose(
        np.stack(ax.lines[-1].get_data_3d()), torch.stack([x, z, -y])
    )


def test_names_are_no_mathematics(arm, tmp_path):
    motion = torch.randn(1, 3, 2)
    animate_poses({"$x^$": motion}, arm, 25, tmp_path / "motion.gif")


def test_without_ffmpeg(poses, arm, tmp_path, monkeypatch):
    monkeypatch.setattr(FFMpegWriter, "isAvailable", lambda: False)
    with pytest.raises(RuntimeError, match="needs the program ffmpeg"):
        animate_poses(poses, arm, 25, tmp_path / "motion.mp4")
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("rate", "name", "message"),
    [
        (120, "motion.gif", "at most 50 frames per second, .* 120"),
        (25, "motion.avi", "'path' must end in .gif or .mp4"),
        (0, "motion.gif", "'frame_rate' must be positive"),
    ],
)
def test_wrong_file(rate, name, message, poses, arm, tmp_path):
    with pytest.raises(ValueError, match=message):
        animate_poses(poses, arm, rate, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_wrong_shape(poses, arm):
    poses["true"] = torch.zeros(2, 4, 2)
    with pytest.raises(ValueError, match=r"'true' of shape \[T, 3, 2 or 3\]"):
        animate_poses(poses, arm, 25)


def test_two_bodies_and_one_centred(arm, tmp_path):
    """The first body stays put, and the second keeps its distance from it."""
    walk = torch.randn(2, 3, 3) + 5.0 * torch.arange(4.0)[:, None, None, None]
    animate_poses(
        {"a": walk}, arm, 25, tmp_path / "motion.gif", centre="shoulder"
    )
    (ax,) = plt.gcf().axes
    joints = [line for line in ax.lines if line.get_marker() == "."]
    for body, line in enumerate(joints):
        expected = walk[-1, body] - walk[-1, 0, 0]
        drawn = np.stack(line.get_data_3d(), -1)
        np.testing.assert_allclose(drawn, expected, atol=1e-5)
    width = np.ptp(ax.get_xlim())
    relative = (walk - walk[:, :1, :1])[..., 0]
    assert width < 1.5 * np.ptp(relative.numpy()) < np.ptp(walk[..., 0].numpy())
