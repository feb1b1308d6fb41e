import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import same_color

from symgnn_pyg import Skeleton
from symgnn_pyg.skeleton.layouts import LAYOUTS
from symgnn_pyg.visualization import plot_poses
from symgnn_pyg.visualization.colours import LINE_STYLES, OF_SIDE


@pytest.mark.parametrize("name", LAYOUTS)
def test_structure(name, tmp_path):
    skeleton = Skeleton.get(name)
    motion = torch.randn(3, skeleton.num_joints, 3)
    figure = plot_poses(
        {"true": motion, "predicted": motion + 1},
        skeleton,
        ["40 ms", "80 ms", "120 ms"],
        "walking",
    )
    assert len(figure.axes) == 6
    for ax in figure.axes:
        assert len(ax.lines) == skeleton.num_bones
    assert [figure.axes[i].get_ylabel() for i in (0, 3)] == [
        "true",
        "predicted",
    ]
    captions = [ax.get_xlabel() for ax in figure.axes]
    assert captions == [""] * 3 + ["40 ms", "80 ms", "120 ms"]
    assert figure.get_suptitle() == "walking"
    figure.savefig(tmp_path / "poses.png", dpi=30)
    assert (tmp_path / "poses.png").stat().st_size > 1000


def test_sides_have_colours():
    skeleton = Skeleton.get("cmu26")
    figure = plot_poses({"a": torch.randn(1, 26, 3)}, skeleton, ["now"])
    for line, (child, _) in zip(
        figure.axes[0].lines, skeleton.bones, strict=True
    ):
        name = skeleton.joints[child]
        middle = child in range(8, 14)
        side = "middle" if middle else "left" if name[0] == "l" else "right"
        assert same_color(line.get_color(), OF_SIDE[side][0]), name


def test_values(arm):
    motion = torch.tensor([[[0.0, 0, 0], [1, 0, 1], [0, 2, 1]]])
    figure = plot_poses({"a": motion.bfloat16()}, arm, ["now"])
    forearm = figure.axes[0].lines[1]
    np.testing.assert_allclose(forearm.get_xdata(), [0.53, 1.38])
    np.testing.assert_allclose(forearm.get_ydata(), [1.9, -0.1])
    figure = plot_poses({"a": motion[..., :2]}, arm, ["now"], up="-y")
    forearm = figure.axes[0].lines[1]
    assert list(forearm.get_ydata()) == [-2.0, 0.0]


@pytest.mark.parametrize("shape", [(2, 26, 3), (3, 25, 3), (3, 26, 4)])
def test_wrong_shape_names_the_row(shape):
    rows = {"true": torch.zeros(3, 26, 3), "predicted": torch.zeros(shape)}
    with pytest.raises(ValueError, match=r"'predicted' of shape \[3, 26, 2 or"):
        plot_poses(rows, Skeleton.get("cmu26"), ["a", "b", "c"])
    assert not plt.get_fignums()


def test_nothing_to_show(arm):
    with pytest.raises(ValueError, match="'times' must hold at least one"):
        plot_poses({"a": torch.zeros(0, 3, 3)}, arm, [])
    with pytest.raises(ValueError, match="at least one motion"):
        plot_poses({}, arm, ["now"])


def test_names_may_be_numbers(arm):
    figure = plot_poses({7: torch.randn(2, 3, 2)}, arm, [0, 40])
    assert [ax.get_xlabel() for ax in figure.axes] == ["0", "40"]
    assert figure.axes[0].get_ylabel() == "7"


def test_names_are_no_mathematics(arm):
    plot_poses({"$x^$": torch.randn(1, 3, 2)}, arm, ["$y^$"]).canvas.draw()


def test_sides_follow_given_pairs(crab):
    figure = plot_poses({"a": torch.randn(1, 3, 2)}, crab, ["now"])
    colours = [line.get_color() for line in figure.axes[0].lines]
    assert colours == [OF_SIDE["left"][0], OF_SIDE["right"][0]]


def test_two_bodies(arm):
    motion = torch.randn(2, 2, 3, 2)
    figure = plot_poses({"a": motion}, arm, ["now", "then"])
    styles = set()
    for ax, pose in zip(figure.axes, motion, strict=True):
        assert len(ax.lines) == 2 * arm.num_bones
        for number, line in enumerate(ax.lines):
            body, bone = divmod(number, arm.num_bones)
            expected = pose[body, list(arm.bones[bone])]
            np.testing.assert_allclose(line.get_xydata(), expected)
            styles.add((body, line.get_linestyle()))
    assert len(styles) == 2
    assert len(set(LINE_STYLES)) == 6


def test_centre(arm):
    motion = torch.tensor([[[0.0, 0], [1, 0], [1, 2]]]).repeat(2, 1, 1)
    motion[1] += 100.0
    figure = plot_poses({"a": motion}, arm, ["now", "then"], centre="elbow")
    for ax in figure.axes:
        upper, fore = (line.get_xydata().tolist() for line in ax.lines)
        assert upper == [[0, 0], [-1, 0]]
        assert fore == [[0, 2], [0, 0]]
