import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from symgnn_pyg.visualization import plot_error


def test_values(tmp_path):
    errors = {
        "zero velocity": torch.tensor([0.5, 1.0]),
        "SymGNN": torch.tensor([0.25, 0.5, 0.75], requires_grad=True),
    }
    ax = plot_error(errors, 25)
    assert [line.get_label() for line in ax.lines] == list(errors)
    np.testing.assert_array_equal(
        ax.lines[1].get_xydata(), [[40, 0.25], [80, 0.5], [120, 0.75]]
    )
    assert len({line.get_color() for line in ax.lines}) == 2
    assert len({line.get_marker() for line in ax.lines}) == 2
    assert ax.get_xlabel().endswith("(ms)")
    ax.figure.savefig(tmp_path / "error.png", dpi=30)


def test_given_axes():
    _, ax = plt.subplots()
    assert plot_error({"a": [1.0]}, 30, ax) is ax


def test_names_are_no_mathematics():
    plot_error({"$x^$": [1.0]}, 30).figure.canvas.draw()


@pytest.mark.parametrize(
    ("errors", "frame_rate", "message"),
    [
        ({"a": [[1.0]]}, 25, r"'a' of shape \[T'\], got \[1, 1\]"),
        ({"a": []}, 25, r"'a' of shape \[T'\], got \[0\]"),
        ({}, 25, "at least one curve"),
        ({"a": [1.0]}, 0, "'frame_rate' must be positive, got 0"),
    ],
)
def test_wrong_input(errors, frame_rate, message):
    with pytest.raises(ValueError, match=message):
        plot_error(errors, frame_rate)
    assert not plt.get_fignums()
