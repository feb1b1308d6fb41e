"""How well actions were recognised: accuracy, calibration and confusions."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import torch
from shared import save_figure, write_json
from torch import Tensor
from torchmetrics.functional.classification import (
    multiclass_calibration_error,
    multiclass_confusion_matrix,
)

from symgnn_pyg.errors import data_error
from symgnn_pyg.files import replacing
from symgnn_pyg.metrics import TopKAccuracy
from symgnn_pyg.visualization import plot_confusion


def report(
    what: str,
    names: Sequence[str],
    scores: Tensor,
    labels: Tensor,
    classes: Sequence[str],
    folder: Path,
    **about: Any,
) -> None:
    """Prints how well recordings were recognised, by their class scores [N, K]
    before the softmax, and writes recognition.json with further entries,
    pictures and scores.csv."""
    metrics = recognition_report(scores, labels, classes) | about
    print_report(metrics, what)
    write_report(metrics, folder)
    write_scores(folder / "scores.csv", names, labels, scores, classes)


def recognition_report(
    scores: Tensor, labels: Tensor, classes: Sequence[str]
) -> dict[str, Any]:
    """The metrics of class scores [N, K], before the softmax, in JSON types.

    `calibration_error` is the expected difference between the probability of
    the recognised class and the share of samples that it is right for, over 15
    bins. Recall is the share of a class that was recognised; precision the
    share of what was recognised as the class that was right.
    """
    confusion = multiclass_confusion_matrix(scores, labels, len(classes))
    counts, found = confusion.sum(dim=1), confusion.sum(dim=0)
    right = confusion.diagonal()
    wrong = confusion - right.diag()
    metrics: dict[str, Any] = {"samples": len(labels)}
    for k in (1, 5):
        if k <= len(classes):
            accuracy = TopKAccuracy(len(classes), k)
            metrics[f"top{k}"] = accuracy(scores, labels).item()
    metrics["calibration_error"] = multiclass_calibration_error(
        scores.softmax(dim=1), labels, len(classes)
    ).item()
    metrics["per_class"] = {
        name: {
            "samples": int(counts[i]),
            "recall": float(right[i] / counts[i]),
            "precision": float(right[i] / found[i]) if found[i] else None,
            "taken_for": classes[int(wrong[i].argmax())]
            if wrong[i].any()
            else None,
        }
        for i, name in enumerate(classes)
        if counts[i]
    }
    metrics["confusion"] = confusion.tolist()
    metrics["classes"] = list(classes)
    return metrics


def print_report(metrics: dict[str, Any], what: str) -> None:
    """Prints a report and a table with a row per class."""
    accuracies = ", ".join(
        f"top-{k} {metrics[f'top{k}']:.1%}"
        for k in (1, 5)
        if f"top{k}" in metrics
    )
    print(
        f"\n{metrics['samples']} {what}: {accuracies}, calibration error "
        f"{metrics['calibration_error']:.1%}"
    )
    width = max(map(len, metrics["classes"])) + 2
    print(
        f"{'':{width}}{'samples':>8}{'recall':>9}{'precision':>11}  taken for"
    )
    for name, row in metrics["per_class"].items():
        precision = row["precision"]
        cell = "-" if precision is None else f"{precision:.1%}"
        print(
            f"{name:{width}}{row['samples']:>8}{row['recall']:>9.1%}"
            f"{cell:>11}  {row['taken_for'] or '-'}"
        )
    if "early_top1" in metrics:
        print("\nseen  " + "".join(f"{r:>7.0%}" for r in metrics["ratios"]))
        cells = (f"{accuracy:>7.1%}" for accuracy in metrics["early_top1"])
        print("top-1 " + "".join(cells))


def write_scores(
    path: Path,
    names: Sequence[str],
    labels: Tensor,
    scores: Tensor,
    classes: Sequence[str],
) -> None:
    """Writes the class probabilities of recordings as a table."""
    with (
        replacing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        table = csv.writer(file)
        table.writerow(["recording", "class", *classes])
        rows = scores.softmax(dim=1).tolist()
        for name, label, row in zip(names, labels.tolist(), rows, strict=True):
            table.writerow([name, classes[label], *row])


def read_scores(
    path: Path,
) -> tuple[list[str], dict[str, int], dict[str, list[float]]]:
    """The classes of such a table, and the index of the class and the
    probabilities of each recording."""
    with (
        path.open(newline="", encoding="utf-8") as file,
        data_error(f"{path} does not hold class probabilities"),
    ):
        (_, _, *classes), *rows = csv.reader(file)
        labels = {name: classes.index(label) for name, label, *_ in rows}
        scores = {name: [*map(float, row)] for name, _, *row in rows}
        if not 0 < len(labels) == len(rows):
            raise ValueError("it must list each recording once")
        table = torch.tensor([*scores.values()])
        if table.size(1) != len(classes) or not (table >= 0).all():
            raise ValueError(f"expected {len(classes)} probabilities a line")
    return classes, labels, scores


def write_report(metrics: dict[str, Any], folder: Path) -> None:
    """Writes recognition.json, confusion.png and, if the beginnings of samples
    were recognised, early.png."""
    write_json(metrics, folder / "recognition.json")
    plt.switch_backend("Agg")
    confusion = torch.tensor(metrics["confusion"])
    figure: Any = plot_confusion(confusion, metrics["classes"]).figure
    save_figure(figure, folder / "confusion.png")
    plt.close(figure)
    if "early_top1" in metrics:
        figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
        percent = [100 * accuracy for accuracy in metrics["early_top1"]]
        axes.plot([100 * r for r in metrics["ratios"]], percent, marker="o")
        axes.set_xlabel("seen of the recording, %")
        axes.set_ylabel("top-1 accuracy, %")
        axes.set_ylim(0, 100)
        save_figure(figure, folder / "early.png")
        plt.close(figure)
