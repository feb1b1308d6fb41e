import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from symgnn_pyg.visualization import plot_actional_map

CLASSES = ["walking", "eating", "sitting"]


def make(kind):
    return torch.full((8, 5, 5), float(kind)) + 0.05 * torch.rand(8, 5, 5)


@pytest.fixture
def sample():
    torch.manual_seed(0)
    return torch.cat([make(0), make(2)]), torch.tensor([0] * 8 + [2] * 8)


def test_alike_graphs_lie_together(sample, tmp_path):
    pytest.importorskip("sklearn")
    ax = plot_actional_map(*sample, CLASSES)
    one, other = (np.asarray(points.get_offsets()) for points in ax.collections)
    assert len(one) == len(other) == 8
    for a, b in ((one, other), (other, one)):
        within = np.linalg.norm(a - a.mean(0), axis=1).max()
        assert within < np.linalg.norm(a - b.mean(0), axis=1).min()
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["walking", "sitting"]
    ax.figure.savefig(tmp_path / "map.png", dpi=30)


def test_seed_and_axes(sample):
    pytest.importorskip("sklearn")
    drawn = []
    for _ in range(2):
        torch.manual_seed(3)
        _, ax = plt.subplots()
        assert plot_actional_map(*sample, CLASSES, ax) is ax
        drawn.append(ax.collections[0].get_offsets())
    np.testing.assert_array_equal(*drawn)


@pytest.mark.parametrize(
    ("graphs", "labels", "message"),
    [
        (torch.zeros(4, 2, 3), [0] * 4, r"'graphs' of shape \[N, V, V\]"),
        (torch.zeros(3, 2, 2), [0] * 3, "at least 4 'graphs' .* got 3 graphs"),
        (
            torch.zeros(5, 2, 2),
            [0] * 4,
            "one label per .* got 5 graphs and 4 labels",
        ),
        (torch.zeros(4, 2, 2), [0, 1, 2, 3], "3 classes, got 3 at index 3"),
        (torch.full((4, 2, 2), torch.nan), [0] * 4, "must be finite"),
    ],
)
def test_wrong_input(graphs, labels, message):
    with pytest.raises(ValueError, match=message):
        plot_actional_map(graphs, labels, CLASSES)
    assert not plt.get_fignums()


def test_wrong_perplexity(sample):
    with pytest.raises(ValueError, match="'perplexity' must be positive"):
        plot_actional_map(*sample, CLASSES, perplexity=0)


def test_without_scikit_learn(sample, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(ImportError, match=r"symgnn_pyg\[vis\]"):
        plot_actional_map(*sample, CLASSES)
