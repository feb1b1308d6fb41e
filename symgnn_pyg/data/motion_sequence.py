from typing import NamedTuple

import numpy as np

from symgnn_pyg.errors import DataError
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.typing import UNLABELLED


class MotionSequence(NamedTuple):
    r"""A sequence to store.

    Args:
        name: What to call it, different for each sequence of a store.
        frames: The frames, of shape :math:`[T, V, C]`, or
            :math:`[B, T, V, C]` for :math:`B` bodies.
        label: The index of its class, or -100 if it has none.
        source: The file that it was read from. (default: :obj:`""`)
        sha256: The checksum of that file. (default: :obj:`""`)
    """

    name: str
    frames: np.ndarray
    label: int
    source: str = ""
    sha256: str = ""


def check_sequence(
    sequence: MotionSequence, skeleton: Skeleton, num_classes: int
) -> np.ndarray:
    r"""The frames of a sequence in single precision, of shape
    :math:`[B, T, V, C]`.
    """
    where = sequence.source or sequence.name
    frames = np.asarray(sequence.frames)
    values = frames[None] if frames.ndim == 3 else frames
    if values.ndim != 4 or (
        values.shape[2] != skeleton.num_joints or 0 in values.shape
    ):
        raise DataError(
            f"{where}: frames of shape {list(frames.shape)} do not fit "
            f"[T, {skeleton.num_joints}, C] of {skeleton!r}"
        )
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    bad = ~np.isfinite(values).all(axis=(0, 2, 3))
    if bad.any():
        raise DataError(
            f"{where}: frame {int(bad.argmax())} holds a number that is not "
            f"finite"
        )
    label = sequence.label
    if label != UNLABELLED and not 0 <= label < num_classes:
        raise DataError(
            f"{where}: label {label} is not one of the {num_classes} classes"
        )
    return values
