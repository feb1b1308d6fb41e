r"""What to say when a training meets numbers that are not finite."""

from collections.abc import Iterable, Sequence

from torch import Tensor
from torch_geometric.data import Batch

from symgnn_pyg.nn import SymbioticLossOutput


def check_weights(step: int, tensors: Iterable[tuple[str, Tensor]]) -> None:
    r"""Refuses weights, or running statistics, that are not finite.

    Args:
        step: The number of the step.
        tensors: The weights and statistics, by name.

    Raises:
        FloatingPointError: If some are not finite; the message names them.
    """
    bad = [name for name, tensor in tensors if not tensor.isfinite().all()]
    if bad:
        more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        raise FloatingPointError(
            f"Step {step}: not finite any more: {', '.join(bad[:3])}{more}. Go "
            f"on from the last checkpoint, with a lower learning rate or in "
            f"float32, and see whether all data are in range"
        )


def describe(
    step: int, batch: Batch, loss: SymbioticLossOutput, names: Sequence[str]
) -> str:
    r"""What was not finite in a step, and in which samples.

    Args:
        step: The number of the step.
        batch: The batch of this process.
        loss: Its losses.
        names: The name of each of its samples.
    """
    parts = {
        "recognition": loss.recognition_loss,
        "prediction": loss.prediction_loss,
    }
    losses = ", ".join(
        f"{name} {float(v):.4g}" for name, v in parts.items() if v is not None
    )
    text = f"Step {step}: the loss is not finite ({losses}): "
    if loss.total.isfinite():
        return f"{text}on another process"
    bad = _samples(batch)
    if bad:
        where = ", ".join(names[i] for i in bad)
        return f"{text}there are numbers that are not finite in {where}"
    largest = max(float(motion.abs().max()) for motion in _motions(batch))
    return (
        f"{text}its samples are finite, up to {largest:.4g}: a lower learning "
        f"rate or float32 may help; they are {', '.join(names)}"
    )


def _samples(batch: Batch) -> list[int]:
    r"""The samples that hold numbers that are not finite."""
    bad = set()
    for motion in _motions(batch):
        rows = ~motion.flatten(1).isfinite().all(dim=1)
        bad.update(batch.batch[rows].tolist())
    return sorted(bad)


def _motions(batch: Batch) -> list[Tensor]:
    return [batch[key] for key in ("x", "future") if key in batch]
