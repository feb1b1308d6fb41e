import matplotlib.pyplot as plt
import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.visualization import plot_actional_edges

SKELETON = Skeleton.get("cmu26")


@pytest.fixture
def position():
    return torch.randn(26, 3, generator=torch.Generator().manual_seed(0))


def arrows(ax):
    """Pairs of (source, target) points, in the order they were drawn."""
    return [
        (tuple(map(float, text.xyann)), tuple(map(float, text.xy)))
        for text in ax.texts
    ]


def test_structure(position):
    ax = plot_actional_edges(torch.rand(26, 26), position, SKELETON)
    assert len(ax.lines) == SKELETON.num_bones
    assert len(ax.collections) == 1
    assert len(ax.texts) == 15
    (bar,) = (other for other in ax.figure.axes if other is not ax)
    assert bar.get_ylabel() == "weight"


def test_strongest_edges_point_at_the_row(position):
    actional = torch.full((26, 26), 0.01)
    actional[3, 7], actional[20, 2] = 0.9, 0.5
    actional[5, 5] = 1.0
    ax = plot_actional_edges(actional, position, SKELETON, num_edges=2)
    point = [tuple(p) for p in position[:, :2].tolist()]
    assert arrows(ax) == [(point[7], point[3]), (point[2], point[20])]


@pytest.mark.parametrize(
    "actional", [torch.eye(3), -torch.ones(3, 3)], ids=["identity", "negative"]
)
def test_no_self_loops(actional):
    arm = Skeleton(["a", "b", "c"], [(1, 0), (2, 1)])
    position = torch.arange(9.0).view(3, 3)
    ax = plot_actional_edges(actional, position, arm)
    assert all(source != target for source, target in arrows(ax))


def test_given_axes_and_no_edges(position):
    _, ax = plt.subplots()
    drawn = plot_actional_edges(torch.eye(26), position, SKELETON, 0, ax)
    assert drawn is ax
    assert not ax.texts
    assert len(plt.get_fignums()) == 1


def test_leaves_the_graph_alone(position):
    actional = torch.rand(26, 26)
    before = actional.clone()
    plot_actional_edges(actional, position, SKELETON)
    assert torch.equal(actional, before)


def test_plane_and_other_tensors(arm):
    actional = torch.zeros(3, 3, requires_grad=True).bfloat16() + 0.0
    actional[0, 2] = 1.0
    position = torch.tensor([[0.0, 0], [1, 0], [1, 1]], requires_grad=True)
    ax = plot_actional_edges(actional, position, arm, 1, up="-y")
    assert arrows(ax) == [((1.0, -1.0), (0.0, 0.0))]


@pytest.mark.parametrize(
    ("actional", "position", "message"),
    [
        ((25, 26), (26, 3), r"'actional' of shape \[26, 26\].*\[25, 26\]"),
        ((26, 26), (26, 4), r"'position' of shape \[26, 2 or 3\].*\[26, 4\]"),
        ((1, 26, 26), (26, 3), r"'actional' .*got \[1, 26, 26\]"),
    ],
)
def test_wrong_shapes(actional, position, message):
    with pytest.raises(ValueError, match=message):
        plot_actional_edges(
            torch.zeros(actional), torch.zeros(position), SKELETON
        )
    assert not plt.get_fignums()


def test_wrong_number(position):
    with pytest.raises(ValueError, match="'num_edges' must not be negative"):
        plot_actional_edges(torch.eye(26), position, SKELETON, -1)


@pytest.mark.parametrize("name", ["actional", "position"])
def test_not_finite(position, name):
    given = {"actional": torch.rand(26, 26), "position": position}
    given[name][3, 1] = torch.nan
    with pytest.raises(ValueError, match=f"'{name}' must be finite"):
        plot_actional_edges(**given, skeleton=SKELETON)
    assert not plt.get_fignums()
