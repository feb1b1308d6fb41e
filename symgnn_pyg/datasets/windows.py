"""The places of samples in a store."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from symgnn_pyg.data import SequenceStore
from symgnn_pyg.errors import check_sizes, warn

SPLITS = ("train", "val", "test")
WINDOW = np.dtype([("sequence", "i8"), ("start", "i8"), ("span", "i8")])


class Window(NamedTuple):
    r"""The place of a sample in a store.

    Args:
        sequence: The index of the sequence in the store.
        start: The first frame in the sequence.
        span: The number of frames of the sequence that it covers. If that is
            not what the stride gives, the sample's frames are spread evenly
            over them by linear interpolation. (default: what the stride
            gives)
    """

    sequence: int
    start: int
    span: int = 0


def check_window(num_observed: int, num_future: int, stride: int) -> None:
    r"""Refuses windows without frames."""
    check_sizes(1, num_observed=num_observed, stride=stride)
    check_sizes(0, num_future=num_future)


def all_windows(
    store: SequenceStore,
    sequences: Iterable[int],
    *,
    num_observed: int,
    num_future: int,
    stride: int = 1,
    skip: int = 0,
) -> np.ndarray:
    r"""Every window of some sequences: one per first frame. A warning names
    the sequences that are too short for one.

    Args:
        store: The store.
        sequences: The sequences.
        num_observed: The number of observed frames.
        num_future: The number of future frames.
        stride: The distance from one frame to the next. (default: :obj:`1`)
        skip: The number of frames to leave out at the start of each sequence.
            (default: :obj:`0`)
    """
    span = (num_observed + num_future - 1) * stride + 1
    windows, short = [np.empty(0, WINDOW)], []
    for sequence in sequences:
        starts = np.arange(skip, store.num_frames(sequence) - span + 1)
        part = np.zeros(len(starts), WINDOW)
        part["sequence"], part["start"] = sequence, starts
        windows.append(part)
        if not len(starts):
            short.append(store.names[sequence])
    if short:
        warn(
            f"{store.path}: too short for a window of {skip + span} frames: "
            f"{', '.join(short[:20])} ({len(short)} in all)"
        )
    return np.concatenate(windows)


def clip_windows(store: SequenceStore, sequences: Iterable[int]) -> np.ndarray:
    r"""One window per sequence, which covers all of it.

    Args:
        store: The store.
        sequences: The sequences.
    """
    chosen = np.fromiter(sequences, np.int64)
    windows = np.zeros(len(chosen), WINDOW)
    windows["sequence"] = chosen
    windows["span"] = store.lengths[chosen]
    return windows
