import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import roma
import torch

from symgnn_pyg.data import (
    MotionSequence,
    SequenceStore,
    SkeletonData,
    open_or_write,
)
from symgnn_pyg.datasets.motion_dataset import MotionDataset
from symgnn_pyg.datasets.synthetic_actions import ACTIONS, CMU26, Performance
from symgnn_pyg.datasets.windows import Window, all_windows, check_window
from symgnn_pyg.errors import DataError, check_choices
from symgnn_pyg.files import resolved

# How many sequences of each action a split has.
SPLITS = {"train": 12, "val": 3, "test": 4}
FRAMES = 160
FRAME_RATE = 25
TEST_WINDOWS = 4
GENERATOR = "synthetic motion 1"


class SyntheticMotion(MotionDataset):
    r"""Synthetic motion that needs no download: eight actions, periodic
    (walking, running, waving, boxing) and transient (kicking, throwing,
    squatting, bowing), performed on the skeleton of CMU Mocap and stored in
    its form, as exponential maps of 26 joints in radians at 25 frames per
    second, so that :func:`~symgnn_pyg.skeleton.cmu_positions` turns
    them into positions by forward kinematics.

    Sequences of one action differ in tempo, amplitude, posture, the side of
    the body that acts, the moments of transient events, drift and noise.
    Test windows are spread evenly over the test sequences.

    Args:
        root: The folder for the HDF5 file.
        split: :obj:`"train"`, :obj:`"val"` or :obj:`"test"`.
            (default: :obj:`"train"`)
        num_observed: The number of observed frames. (default: :obj:`50`)
        num_future: The number of frames to predict. (default: :obj:`25`)
        seed: The seed of the sequences. (default: :obj:`0`)
        transform: A transform of each sample. (default: :obj:`None`)

    Raises:
        DataError: If the HDF5 file holds other data.
        ValueError: If there is no such split, or a window is longer than the
            sequences.

    **STATS:**

    .. list-table::
        :header-rows: 1

        * - split
          - sequences
          - frames
          - joints
          - channels
          - classes
        * - train
          - 96
          - 15,360
          - 26
          - 3
          - 8
        * - val
          - 24
          - 3,840
          - 26
          - 3
          - 8
        * - test
          - 32
          - 5,120
          - 26
          - 3
          - 8
    """

    kind = "rotation"
    unit = "radians"

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str = "train",
        *,
        num_observed: int = 50,
        num_future: int = 25,
        seed: int = 0,
        transform: Callable[[SkeletonData], SkeletonData] | None = None,
    ) -> None:
        check_window(num_observed, num_future, 1)
        check_choices([*SPLITS], split=split)
        if num_observed + num_future > FRAMES:
            raise ValueError(
                f"The sequences have {FRAMES} frames, fewer than "
                f"{num_observed} + {num_future}"
            )
        store = _prepare(resolved(root), seed)
        sequences = [
            i
            for i, name in enumerate(store.names)
            if name.startswith(f"{split}/")
        ]
        sizes = {"num_observed": num_observed, "num_future": num_future}
        windows: Iterable[Window] | np.ndarray
        if split != "test":
            windows = all_windows(store, sequences, **sizes)
        else:
            last = FRAMES - num_observed - num_future
            starts = np.linspace(0, last, TEST_WINDOWS).astype(int)
            windows = [
                Window(i, int(start)) for i in sequences for start in starts
            ]
        super().__init__(store, windows, **sizes, transform=transform)
        self.split = split


def _prepare(root: Path, seed: int) -> SequenceStore:
    path = root / f"synthetic_motion_{seed}.h5"

    def write() -> SequenceStore:
        return SequenceStore.write(path, _sequences(seed), CMU26, [*ACTIONS])

    store = open_or_write(path, write)
    if {*store.sources} != {GENERATOR} or store.skeleton != CMU26:
        raise DataError(
            f"{path} holds other data; delete it or pass another 'root'"
        )
    return store


def _sequences(seed: int) -> Iterator[MotionSequence]:
    for s, (split, count) in enumerate(SPLITS.items()):
        for label, action in enumerate(ACTIONS):
            for i in range(count):
                random = np.random.default_rng([seed, s, label, i])
                frames = perform(action, random)
                name = f"{split}/{action}/{i}"
                yield MotionSequence(name, frames, label, GENERATOR)


def perform(action: str, random: np.random.Generator) -> np.ndarray:
    r"""One sequence of an action: exponential maps in radians, of shape
    :math:`[T, V, 3]`.
    """
    performance = Performance(FRAMES, FRAME_RATE, random)
    ACTIONS[action](performance)
    angles = torch.from_numpy(performance.finish())  # [T, V, 3]
    rotation = roma.euler_to_rotvec("XYZ", list(angles.unbind(dim=-1)))
    # CMU Mocap stores minus the rotation.
    return -rotation.numpy().astype(np.float32)
