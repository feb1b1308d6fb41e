import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import same_color
from mpl_toolkits.mplot3d import proj3d

from symgnn_pyg import Skeleton
from symgnn_pyg.skeleton.layouts import LAYOUTS
from symgnn_pyg.visualization import plot_skeleton
from symgnn_pyg.visualization.colours import (
    BLUE,
    CYCLE,
    ORANGE,
    SKY,
    VERMILLION,
)
from symgnn_pyg.visualization.plot_skeleton import move_pose

CMU26 = Skeleton.get("cmu26")


def data(line):
    return np.stack(
        line.get_data_3d() if hasattr(line, "get_data_3d") else line.get_data()
    )


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("channels", [2, 3])
def test_structure(name, channels, tmp_path):
    skeleton = Skeleton.get(name)
    position = torch.randn(skeleton.num_joints, channels)
    ax = plot_skeleton(position, skeleton)
    assert ax.name == ("3d" if channels == 3 else "rectilinear")
    *bones, links, joints = ax.lines
    ends = sum(np.isfinite(data(line)[0]).sum() for line in bones)
    assert ends == 2 * skeleton.num_bones
    assert np.isfinite(data(links)[0]).sum() == 2 * len(skeleton.links)
    np.testing.assert_allclose(data(joints).T, position)
    ax.figure.savefig(tmp_path / "pose.png", dpi=30)


def test_legend_names_parts_in_their_colours():
    ax = plot_skeleton(torch.randn(26, 2), CMU26)
    lines, names = ax.get_legend_handles_labels()
    assert sorted(names) == sorted(CMU26.part_names)
    of = dict(zip(names, lines, strict=True))
    assert same_color(of["left thigh"].get_color(), BLUE)
    assert same_color(of["left crus"].get_color(), SKY)
    assert same_color(of["right thigh"].get_color(), VERMILLION)
    assert same_color(of["right crus"].get_color(), ORANGE)


def test_no_sides(arm):
    position = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
    ax = plot_skeleton(position, arm)
    assert same_color(ax.lines[0].get_color(), CYCLE[0])
    np.testing.assert_array_equal(
        data(ax.lines[0]),
        [[1, 0, np.nan, 1, 1, np.nan], [0, 0, np.nan, 1, 0, np.nan]],
    )


def test_one_part_with_sides_is_named_once():
    skeleton = Skeleton(["hip", "left", "right"], [(1, 0), (2, 0)])
    ax = plot_skeleton(torch.randn(3, 3), skeleton)
    assert ax.get_legend_handles_labels()[1] == ["body"]
    assert same_color(ax.lines[0].get_color(), BLUE)
    assert same_color(ax.lines[1].get_color(), VERMILLION)


def test_equal_scale(arm):
    ax = plot_skeleton(torch.tensor([[0.0, 0], [4, 0], [4, 1]]), arm)
    ax.figure.draw_without_rendering()
    # As many pixels for one unit up as for one across.
    square = ax.transData.transform([[0, 0], [1, 0], [0, 1]])
    across, up = square[1, 0] - square[0, 0], square[2, 1] - square[0, 1]
    assert across == pytest.approx(up)
    ax = plot_skeleton(torch.tensor([[0.0, 0, 0], [4, 0, 1], [4, 2, 0]]), arm)
    limits = ax.get_xlim3d(), ax.get_ylim3d(), ax.get_zlim3d()
    size = np.ptp(limits, axis=1)
    shape = ax._box_aspect
    # Matplotlib turns the box so that what points up comes last.
    np.testing.assert_allclose(
        np.sort(shape / shape.max()), np.sort(size / size.max())
    )


def test_seen_from_the_front():
    """The body's left is on the right of the picture, the head on top."""
    position = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    skeleton = Skeleton(list("abcd"), [(1, 0), (2, 0), (3, 0)])
    ax = plot_skeleton(position, skeleton)
    ax.figure.draw_without_rendering()
    x, y, depth = proj3d.proj_transform(*position.T.numpy(), ax.get_proj())
    assert x[1] > x[0]
    assert y[2] > y[0]
    assert abs(x[2] - x[0]) < 0.1 * (y[2] - y[0])
    assert abs(depth[3] - depth[0]) > abs(depth[1] - depth[0])


@pytest.mark.parametrize("channels", [2, 3])
def test_moves(channels, arm):
    before, after = torch.randn(2, 2, 3, channels).double().numpy()
    ax = plot_skeleton(before, arm)
    expected = plot_skeleton(after, arm)
    move_pose(list(ax.lines), after, arm)
    for line, other in zip(ax.lines, expected.lines, strict=True):
        np.testing.assert_array_equal(data(line), data(other))


def test_given_axes(arm):
    _, ax = plt.subplots()
    assert plot_skeleton(torch.randn(3, 2), arm, ax) is ax
    with pytest.raises(ValueError, match=r"3-D positions on 'rectilinear'"):
        plot_skeleton(torch.randn(3, 3), arm, ax)
    assert len(plt.get_fignums()) == 1


def test_wrong_shape(arm):
    with pytest.raises(ValueError, match=r"'position' of shape \[3, 2 or 3\]"):
        plot_skeleton(torch.randn(1, 4, 3), arm)
    with pytest.raises(ValueError, match=r"at most 6 bodies .* \[25, 3, 3\]"):
        plot_skeleton(torch.randn(25, 3, 3), arm)
    assert not plt.get_fignums()


def test_skeleton_by_its_name():
    assert plot_skeleton(np.zeros((26, 3)), "cmu26") is not None
    with pytest.raises(TypeError, match="Expected 'skeleton' to be a Skeleton"):
        plot_skeleton(np.zeros((26, 3)), 26)


def test_sides_follow_given_pairs(crab):
    ax = plot_skeleton(torch.randn(3, 2), crab)
    assert [line.get_color() for line in ax.lines[:2]] == [BLUE, VERMILLION]


@pytest.mark.parametrize("channels", [2, 3])
def test_two_bodies(channels, tmp_path):
    position = torch.randn(2, 26, channels)
    ax = plot_skeleton(position, CMU26)
    lines = list(ax.lines)
    half = len(lines) // 2
    for body, pose in enumerate(position):
        alone = plot_skeleton(pose, CMU26)
        drawn = lines[body * half : (body + 1) * half]
        for line, other in zip(drawn, alone.lines, strict=True):
            np.testing.assert_array_equal(data(line), data(other))
            assert line.get_color() == other.get_color()
        assert len({line.get_linestyle() for line in drawn[:-2]}) == 1
    assert lines[0].get_linestyle() != lines[half].get_linestyle()
    assert sorted(ax.get_legend_handles_labels()[1]) == sorted(CMU26.part_names)
    ax.figure.savefig(tmp_path / "bodies.png", dpi=30)
