import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from symgnn_pyg.errors import DataError
from symgnn_pyg.visualization import plot_losses

LOG = {
    "step": [10, 20, 30],
    "recognition": torch.tensor([2.0, 1.0, 0.5], requires_grad=True),
    "prediction": torch.tensor([300.0, 200.0, torch.nan]),
    "alpha": [0.9, 0.95, 1.0],
}


def lines(ax):
    every = [line for axes in ax.figure.axes for line in axes.lines]
    return {line.get_label(): line.get_xydata().tolist() for line in every}


def test_arrays(tmp_path):
    ax = plot_losses(LOG)
    assert lines(ax) == {
        "recognition": [[10, 2.0], [20, 1.0], [30, 0.5]],
        "prediction": [[10, 300.0], [20, 200.0]],
        r"$\alpha$": [[10, 0.9], [20, 0.95], [30, 1.0]],
    }
    assert ax.get_yscale() == "log"
    named = [text.get_text() for text in ax.get_legend().get_texts()]
    assert named == list(lines(ax))
    ax.figure.savefig(tmp_path / "losses.png", dpi=30)


def test_one_task_without_steps():
    _, ax = plt.subplots()
    assert plot_losses({"prediction": [3.0, 2.0]}, ax) is ax
    assert lines(ax) == {"prediction": [[0, 3.0], [1, 2.0]]}


def test_what_lightning_writes(tmp_path):
    loggers = pytest.importorskip("lightning.pytorch.loggers")
    logger = loggers.CSVLogger(tmp_path, "logs", "csv")
    for step in (49, 99):
        losses = {"recognition": 1.0, "prediction": 50.0, "alpha": 0.5}
        logger.log_metrics({**losses, "epoch": 0}, step)
    logger.log_metrics({"val_error": 0.7, "epoch": 0}, 99)
    logger.save()
    assert lines(plot_losses(f"{logger.log_dir}/metrics.csv")) == {
        "recognition": [[49, 1.0], [99, 1.0]],
        "prediction": [[49, 50.0], [99, 50.0]],
        r"$\alpha$": [[49, 0.5], [99, 0.5]],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "with a column 'step', got the columns \\[\\]"),
        (
            "epoch,loss\n0,1\n",
            "a column 'step', got the columns \\['epoch', 'loss'\\]",
        ),
        (
            "step,alpha\n0,1\n",
            "expected values of 'recognition' or 'prediction'",
        ),
        (
            "step,recognition\n0,1\n1,x\n",
            "line 3: expected a number for 'recognition', got 'x'",
        ),
    ],
)
def test_wrong_file(text, message, tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=f"metrics.csv.* {message}"):
        plot_losses(path)
    with pytest.raises(FileNotFoundError):
        plot_losses(tmp_path / "none.csv")
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ({"alpha": [1.0]}, "expected values of 'recognition' or 'prediction'"),
        ({"recognition": [np.nan]}, "expected values of"),
        (
            {"recognition": [1.0], "alpha": [1.0, 2.0]},
            r"'alpha' of shape \[1\], got \[2\]",
        ),
        ({"recognition": [[1.0]]}, r"'recognition' of shape \[1\]"),
        ({"recognition": 1.0}, r"'recognition' of shape \[1\], got \[\]"),
    ],
)
def test_wrong_arrays(log, message):
    with pytest.raises(ValueError, match=message):
        plot_losses(log)
    assert not plt.get_fignums()
