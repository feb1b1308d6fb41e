import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.text import Text

from symgnn_pyg.visualization import plot_confusion

CLASSES = ["walking", "eating", "sitting"]
MATRIX = [[3, 1, 0], [0, 2, 0], [0, 0, 0]]
SHARES = [[0.75, 0.25, 0.0], [0.0, 1.0, 0.0], [np.nan] * 3]


def numbers(ax):
    """What is written at (row, column)."""
    return {text.get_position()[::-1]: text.get_text() for text in ax.texts}


def check(ax):
    shares = np.ma.filled(ax.images[0].get_array(), np.nan)
    np.testing.assert_array_equal(shares, SHARES)
    assert numbers(ax) == {(0, 0): "3", (0, 1): "1", (1, 1): "2"}


def test_matrix(tmp_path):
    ax = plot_confusion(torch.tensor(MATRIX), CLASSES)
    check(ax)
    for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
        assert [label.get_text() for label in labels] == CLASSES
    ax.figure.savefig(tmp_path / "confusion.png", dpi=30)


def test_logits():
    found, true = torch.tensor([[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1]])
    logits = torch.eye(3)[found].mul(5).sub(1).requires_grad_().bfloat16()
    check(plot_confusion(logits, CLASSES, true))


def test_shares_and_many_classes():
    ax = plot_confusion([[0.5, 0.5], [0.0, 1.0]], CLASSES[:2])
    assert numbers(ax) == {(0, 0): "0.5", (0, 1): "0.5", (1, 1): "1"}
    ax = plot_confusion(np.eye(21), [str(k) for k in range(21)])
    assert not ax.texts


@pytest.mark.parametrize(
    "classes",
    [
        ["eating"],
        CLASSES,
        ["a", "W" * 60, "putting something into the pocket of someone else"],
        [f"action {k} of a long list of them" for k in range(30)],
    ],
    ids=len,
)
def test_no_text_leaves_the_figure(classes):
    figure = plot_confusion(np.eye(len(classes)), classes).figure
    figure.canvas.draw()
    for text in figure.findobj(Text):
        if text.get_text():
            (left, bottom), (right, top) = text.get_window_extent().get_points()
            assert -0.5 < left < right < figure.bbox.width + 0.5, text
            assert -0.5 < bottom < top < figure.bbox.height + 0.5, text
    square = figure.axes[0].get_window_extent().height / figure.dpi
    assert square > 0.3 * len(classes)


def test_given_axes():
    _, ax = plt.subplots()
    assert plot_confusion(MATRIX, CLASSES, ax=ax) is ax


@pytest.mark.parametrize(
    ("confusion", "labels", "message"),
    [
        (np.zeros((2, 3)), None, r"of shape \[3, 3\], got \[2, 3\]"),
        (np.zeros((4, 2)), [0] * 4, r"of shape \[4, 3\], got \[4, 2\]"),
        (np.zeros((1, 3)), [3], "'labels' .* 3 classes, got 3 at index 0"),
        (-np.ones((3, 3)), None, "must not hold negative .* logits"),
        (np.full((3, 3), np.nan), None, "must be finite"),
    ],
)
def test_wrong_input(confusion, labels, message):
    with pytest.raises(ValueError, match=message):
        plot_confusion(confusion, CLASSES, labels)
    assert not plt.get_fignums()


def test_names_are_no_mathematics():
    ax = plot_confusion(np.eye(2), [r"a$\frac$", "$x^$"])
    ax.figure.canvas.draw()
