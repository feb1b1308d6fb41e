r"""Checks for NaN and infinity in training."""

from collections.abc import Iterable, Sequence

from torch import Tensor
from torch_geometric.data import Batch

from symgnn_pyg.nn import SymbioticLossOutput, SymGNNOutput

CURE = (
    "fill missing joints when the data set is made, with fill_gaps=True, or "
    "check its transform"
)


def check_weights(step: int, tensors: Iterable[tuple[str, Tensor]]) -> None:
    r"""Raises an error that names the weights and running statistics that are
    not finite.
    """
    bad = [name for name, tensor in tensors if not tensor.isfinite().all()]
    if bad:
        more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        raise FloatingPointError(
            f"Step {step}: {', '.join(bad[:3])}{more} are no longer finite. "
            f"Check the range of the data, and resume from the last checkpoint "
            f"with a lower learning rate or in float32"
        )


def check_output(
    index: int, output: SymGNNOutput, step: int, rate: float | None
) -> None:
    r"""Raises an error if the output of a network is not finite, or, with the
    highest learning rate of its training, if that has diverged.
    """
    heads = {"class scores": output.logits, "predicted poses": output.future}
    bad = [
        name
        for name, values in heads.items()
        if values is not None and not values.isfinite().all()
    ]
    if not bad:
        return
    what = (
        f"the {' and '.join(bad)} of the network are not finite, although the "
        f"samples are"
    )
    if rate is None:
        raise FloatingPointError(f"Batch {index}: {what}; check its weights")
    raise FloatingPointError(
        f"Step {step}: training has diverged with a learning rate of up to "
        f"{rate:g}: {what}. Lower the learning rate, or train in float32"
    )


def describe(
    step: int, batch: Batch, loss: SymbioticLossOutput, names: Sequence[str]
) -> str:
    r"""Describes what was not finite in a step, and in which samples."""
    parts = zip(("recognition", "prediction"), loss[1:3], strict=True)
    losses = ", ".join(
        f"{name} {float(value.detach()):.4g}"
        for name, value in parts
        if value is not None
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
    r"""Raises an error that names the samples that are not finite."""
    bad = _samples(batch)
    if bad:
        raise FloatingPointError(
            f"Batch {index}: found NaN or infinity in the samples "
            f"{', '.join(map(str, bad))} of the batch; {CURE}"
        )


def _samples(batch: Batch) -> list[int]:
    bad = set()
    for motion in _motions(batch):
        rows = ~motion.flatten(1).isfinite().all(dim=1)
        bad.update(batch.batch[rows].tolist())
    return sorted(bad)


def _motions(batch: Batch) -> list[Tensor]:
    return [batch[key] for key in ("x", "future") if key in batch]
