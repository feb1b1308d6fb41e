r"""Error messages for NaN and infinity in training."""

from collections.abc import Iterable, Sequence

from torch import Tensor
from torch_geometric.data import Batch

from symgnn_pyg.nn import SymbioticLossOutput, SymGNNOutput

CURE = (
    "fill missing joints when the data set is made, with fill_gaps=True, or "
    "check its transform"
)


def check_weights(step: int, tensors: Iterable[tuple[str, Tensor]]) -> None:
    r"""Checks that weights and running statistics are finite.

    Raises:
        FloatingPointError: If a tensor is not finite. The message names it.
    """
    bad = [name for name, tensor in tensors if not tensor.isfinite().all()]
    if bad:
        more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        raise FloatingPointError(
            f"Step {step}: {', '.join(bad[:3])}{more} are no longer finite. "
            f"Check the range of the data, and resume from the last checkpoint "
            f"with a lower learning rate or in float32"
        )


def check_output(step: int, output: SymGNNOutput, rate: float) -> None:
    r"""Checks that the output of a network is finite.

    Raises:
        FloatingPointError: If it is not finite.
    """
    bad = [
        what
        for what, values in (
            ("class scores", output.logits),
            ("predicted poses", output.future),
        )
        if values is not None and not values.isfinite().all()
    ]
    if bad:
        raise FloatingPointError(
            f"Step {step}: training has diverged with a learning rate of up to "
            f"{rate:g}: the {' and '.join(bad)} of the network are not finite, "
            f"although the samples are. Lower the learning rate, or train in "
            f"float32"
        )


def describe(
    step: int, batch: Batch, loss: SymbioticLossOutput, names: Sequence[str]
) -> str:
    r"""Describes what was not finite in a step, and in which samples."""
    parts = {
        "recognition": loss.recognition_loss,
        "prediction": loss.prediction_loss,
    }
    losses = ", ".join(
        f"{name} {float(v.detach()):.4g}"
        for name, v in parts.items()
        if v is not None
    )
    text = f"Step {step}: the loss is not finite ({losses}): "
    if loss.total.isfinite():
        return f"{text}on another process"
    bad = _samples(batch)
    if bad:
        where = ", ".join(names[i] for i in bad)
        return f"{text}found NaN or infinity in {where}; {CURE}"
    largest = max(float(motion.abs().max()) for motion in _motions(batch))
    return (
        f"{text}all samples are finite, with values up to {largest:.4g}; try a "
        f"lower learning rate or float32. Samples: {', '.join(names)}"
    )


def check_batch(batch: Batch, index: int) -> None:
    r"""Checks that the samples of a batch are finite.

    Raises:
        FloatingPointError: If one is not. The message names the samples.
    """
    bad = _samples(batch)
    if bad:
        raise FloatingPointError(
            f"Batch {index}: found NaN or infinity in the samples "
            f"{', '.join(map(str, bad))} of the batch; {CURE}"
        )


def _samples(batch: Batch) -> list[int]:
    r"""The samples that contain NaN or infinity."""
    bad = set()
    for motion in _motions(batch):
        rows = ~motion.flatten(1).isfinite().all(dim=1)
        bad.update(batch.batch[rows].tolist())
    return sorted(bad)


def _motions(batch: Batch) -> list[Tensor]:
    return [batch[key] for key in ("x", "future") if key in batch]
