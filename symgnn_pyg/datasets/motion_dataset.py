import warnings
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor
from torch_geometric.data import Dataset

from symgnn_pyg.data import SequenceStore, SkeletonData
from symgnn_pyg.errors import DataError
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms import Standardize


class Window(NamedTuple):
    r"""Where a sample lies.

    Args:
        sequence: The index of the sequence in the store.
        start: Its first frame in the file.
    """

    sequence: int
    start: int


class MotionDataset(Dataset):
    r"""Windows over the sequences of a
    :class:`~symgnn_pyg.data.SequenceStore`: :obj:`observed` frames to see and
    the :obj:`future` frames after them to predict, read from the file when
    they are asked for.

    Args:
        store: The store.
        windows: The windows.
        observed: The number of observed frames :math:`T`.
        future: The number of frames to predict :math:`T'`.
        stride: The distance of one frame to the next, in frames of the file.
            (default: :obj:`1`)
        transform: A transform of each :class:`~symgnn_pyg.data.SkeletonData`.
            (default: :obj:`None`)

    Raises:
        ValueError: If :obj:`observed` or :obj:`stride` is smaller than 1 or
            :obj:`future` negative.
        DataError: If there are no windows.
    """

    def __init__(
        self,
        store: SequenceStore,
        windows: Iterable[Window],
        observed: int,
        future: int,
        stride: int = 1,
        transform: Callable[[SkeletonData], SkeletonData] | None = None,
    ) -> None:
        check_window(observed, future, stride)
        super().__init__(None, transform)
        self.store = store
        self.windows = list(windows)
        self.observed = observed
        self.future = future
        self.stride = stride
        if not self.windows:
            raise DataError(
                f"{store.path}: no sequence has the {observed} + {future} "
                f"frames of a window at stride {stride}"
            )

    @property
    def skeleton(self) -> Skeleton:
        r"""The skeleton."""
        return self.store.skeleton

    @property
    def classes(self) -> list[str]:
        r"""The names of the classes."""
        return self.store.classes

    @property
    def num_classes(self) -> int:
        r"""The number of classes."""
        return len(self.classes)

    def len(self) -> int:
        return len(self.windows)

    def get(self, idx: int) -> SkeletonData:
        window = self.windows[idx]
        length = self.observed + self.future
        frames = self.store.read(
            window.sequence, window.start, length, self.stride
        )
        frames = frames.transpose(0, 1).contiguous()  # [V, T + T', C]
        return SkeletonData(
            x=frames[:, : self.observed].contiguous(),
            future=frames[:, self.observed :].contiguous(),
            y=self.store.labels[window.sequence],
            skeleton=self.skeleton,
        )

    def standardize(self) -> Standardize:
        r"""The transform that gives the sequences of this data set zero mean
        and unit variance, each frame of each sequence counted once.
        """
        count, total, square = 0, torch.zeros(()), torch.zeros(())
        for sequence in sorted({w.sequence for w in self.windows}):
            frames = self.store[sequence].double()
            count += frames.size(0)
            total = total + frames.sum(dim=0)
            square = square + frames.square().sum(dim=0)
        mean: Tensor = total / count
        std = (square / count - mean.square()).clamp(min=0.0).sqrt()
        return Standardize(mean.float(), std.float())

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({len(self)}, "
            f"observed={self.observed}, future={self.future})"
        )


def check_window(observed: int, future: int, stride: int) -> None:
    r"""Refuses windows that cannot be."""
    if observed < 1 or future < 0 or stride < 1:
        raise ValueError(
            f"A window needs 'observed' >= 1, 'future' >= 0 and 'stride' >= "
            f"1, got {observed}, {future} and {stride}"
        )


def all_windows(
    store: SequenceStore,
    sequences: Iterable[int],
    observed: int,
    future: int,
    stride: int = 1,
    skip: int = 0,
) -> list[Window]:
    r"""Every window of some sequences, one for each first frame. Sequences
    that are too short for one are named in a warning.

    Args:
        store: The store.
        sequences: The sequences.
        observed: The number of observed frames.
        future: The number of future frames.
        stride: The distance of one frame to the next.
        skip: The frames to leave out at the front of each sequence.
    """
    span = (observed + future - 1) * stride + 1
    windows, short = [], []
    for sequence in sequences:
        starts = range(skip, store.num_frames(sequence) - span + 1)
        windows += [Window(sequence, start) for start in starts]
        if not starts:
            short.append(store.names[sequence])
    if short:
        warnings.warn(
            f"{store.path}: too short for a window of {skip + span} frames: "
            f"{', '.join(short)}",
            stacklevel=3,
        )
    return windows
