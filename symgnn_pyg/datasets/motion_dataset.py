from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Batch, Dataset

from symgnn_pyg.data import SequenceStore, SkeletonData, batch_of_bodies
from symgnn_pyg.datasets.windows import WINDOW, Window, check_window
from symgnn_pyg.errors import DataError
from symgnn_pyg.ops import stretch_frames
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms import (
    Difference,
    MotionTransform,
    Standardize,
    ToBones,
    steps_of,
)


class MotionDataset(Dataset):
    r"""Windows over the sequences of a
    :class:`~symgnn_pyg.data.SequenceStore`: :obj:`num_observed` frames to
    observe and the :obj:`num_future` frames after them to predict. They are
    read from the file on demand. Of several bodies, those that are zero
    throughout a window are absent and not part of the sample.

    Args:
        store: The store.
        windows: The windows.
        num_observed: The number of observed frames :math:`T`.
        num_future: The number of frames to predict :math:`T'`.
        stride: The distance from one frame to the next, in frames of the file.
            (default: :obj:`1`)
        transform: A transform of each :class:`~symgnn_pyg.data.SkeletonData`.
            (default: :obj:`None`)

    Raises:
        ValueError: If :obj:`num_observed` or :obj:`stride` is smaller than 1,
            or :obj:`num_future` is negative.
        DataError: If there are no windows.
    """

    # What the sequences hold, as in Mirror: "position" or "rotation".
    kind: str = "position"
    # The unit of the values, if known.
    unit: str | None = None
    # The number of leading channels that are coordinates, if not all are:
    # others, such as confidence, do not count in errors.
    num_coordinates: int | None = None
    # The probabilities of the classes of each sequence, if it has no single
    # class.
    _probabilities: Tensor | None = None

    def __init__(
        self,
        store: SequenceStore,
        windows: Iterable[Window] | np.ndarray,
        *,
        num_observed: int,
        num_future: int,
        stride: int = 1,
        transform: Callable[[SkeletonData], SkeletonData] | None = None,
    ) -> None:
        check_window(num_observed, num_future, stride)
        super().__init__(None, transform)
        self.store = store
        if not isinstance(windows, np.ndarray):
            windows = np.array(list(map(tuple, windows)), WINDOW)
        # There may be millions: an array takes far less memory than a list.
        self.windows: np.recarray = windows.view(np.recarray)
        self._num_frames = num_observed, num_future
        # The transform and the numbers of frames it leaves, once known.
        self._num_transformed: tuple[object, tuple[int, int]] | None = None
        self.stride = stride
        if not len(self.windows):
            raise DataError(
                f"{store.path}: no sequence has the {num_observed} + "
                f"{num_future} frames of a window at stride {stride}"
            )

    @property
    def num_observed(self) -> int:
        r"""The number of observed frames of a sample, after the transform."""
        return self._transformed()[0]

    @property
    def num_future(self) -> int:
        r"""The number of frames to predict of a sample, after the transform:
        0 if it removes them.
        """
        return self._transformed()[1]

    @property
    def holds_rotations(self) -> bool:
        r"""Whether samples are exponential maps in radians. Their differences,
        between joints (:class:`~symgnn_pyg.transforms.ToBones`) or frames
        (:class:`~symgnn_pyg.transforms.Difference`), are not.
        """
        return self.kind == "rotation" and not any(
            isinstance(step, ToBones)
            or (isinstance(step, Difference) and step.order > 0)
            for step in steps_of(self.transform)
        )

    @property
    def skeleton(self) -> Skeleton:
        r"""The skeleton of the samples: that of the sequences, or its dual
        where the transform makes bones of the joints
        (:class:`~symgnn_pyg.transforms.ToBones`).
        """
        skeleton = self.store.skeleton
        for step in steps_of(self.transform):
            if isinstance(step, ToBones):
                skeleton = skeleton.dual()
        return skeleton

    @property
    def classes(self) -> list[str]:
        r"""The names of the classes."""
        return self.store.classes

    @property
    def num_classes(self) -> int:
        r"""The number of classes."""
        return len(self.classes)

    @property
    def labels(self) -> Tensor:
        r"""The label of each sample, of shape :math:`[N]`, or the
        probabilities of its classes, of shape :math:`[N, K]`.
        """
        return self._labels(self.sequence_index)

    @property
    def sequence_index(self) -> Tensor:
        r"""The index of each sample's sequence in the store, of shape
        :math:`[N]`.
        """
        return torch.from_numpy(self.windows["sequence"][list(self.indices())])

    def len(self) -> int:
        return len(self.windows)

    def get(self, idx: int) -> SkeletonData:
        x, future, num_bodies = self._read([idx])
        y = self._labels(self.windows["sequence"][[idx]])
        return SkeletonData(
            x=x,
            future=future,
            y=y if y.dim() > 1 else y[0],
            skeleton=self.store.skeleton,
            num_bodies=num_bodies,
        )

    def batch(self, indices: Sequence[int]) -> Batch:
        r"""The batch of some samples, equal to that of
        :meth:`Batch.from_data_list`, but made in one piece if the transform
        only changes the motion or turns joints into bones.

        Args:
            indices: The indices of the samples.
        """
        if not all(
            isinstance(step, MotionTransform) or type(step) is ToBones
            for step in steps_of(self.transform)
        ):
            return Batch.from_data_list([self[i] for i in indices])
        places = [self.indices()[i] for i in indices]
        x, future, num_bodies = self._read(places)
        batch = batch_of_bodies(
            x,
            future,
            self._labels(self.windows["sequence"][places]),
            skeleton=self.store.skeleton,
            num_bodies=num_bodies,
        )
        return batch if self.transform is None else self.transform(batch)

    def _transformed(self) -> tuple[int, int]:
        if self.transform is None:
            return self._num_frames
        known = self._num_transformed
        if known is None or known[0] is not self.transform:
            # Whatever the transform does, one sample shows it.
            with torch.random.fork_rng(devices=[]):
                sample = self[0]
            future = sample.get("future")
            frames = sample.x.size(1), 0 if future is None else future.size(1)
            known = self._num_transformed = self.transform, frames
        return known[1]

    def _labels(self, sequences: Tensor | np.ndarray) -> Tensor:
        if self._probabilities is not None:
            return self._probabilities[sequences]
        return self.store.labels[sequences]

    def _read(self, places: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        windows = self.windows[places]
        num_bodies = self.store.bodies[windows["sequence"]]
        length = sum(self._num_frames)
        shape = self.store.skeleton.num_joints, self.store.num_channels
        frames = np.empty((int(num_bodies.sum()), length, *shape), np.float32)
        last = 0
        for window, bodies in zip(
            windows.tolist(), num_bodies.tolist(), strict=True
        ):
            sequence, start, span = window
            first, last = last, last + bodies
            if span in (0, (length - 1) * self.stride + 1):
                self.store.read_into(
                    frames[first:last], sequence, start, self.stride
                )
            else:
                frames[first:last] = self._stretched(sequence, start, span)
        frames, num_bodies = _drop_absent(frames, num_bodies)
        motion = torch.from_numpy(frames).transpose(1, 2)  # [M, V, T + T', C]
        x, future = (
            part.flatten(0, 1).contiguous()
            for part in motion.tensor_split([self._num_frames[0]], dim=2)
        )
        return x, future, num_bodies

    def _stretched(self, sequence: int, start: int, span: int) -> np.ndarray:
        frames = self.store.read(sequence, start, span)  # [B, span, V, C]
        length = sum(self._num_frames)
        stretched = stretch_frames(frames.flatten(2), length)
        return stretched.view(len(frames), length, *frames.shape[2:]).numpy()

    def standardize(self) -> Standardize:
        r"""The transform :math:`(x - \mu) / \sigma` with the mean and the
        standard deviation of the sequences of this data set. Rotations have
        one deviation per joint and channel. The coordinates of positions
        share one,

        .. math::
            \sigma^2 = \frac{1}{V C} \sum_{v, c} \sigma_{v c}^2,

        so that the noise of joints that stand still is not amplified.
        Channels beyond :obj:`num_coordinates`, such as confidence, keep their
        own.

        Each frame of each body of a sequence that has a window counts once,
        whether windows cover it or not. Frames of zeros, in which one of
        several bodies is absent, do not count.
        """
        sequences = self.sequence_index.unique().tolist()
        # Subtract a reference pose first, so that rounding errors of large
        # offsets do not look like motion.
        origin = self.store[sequences[0]][0, 0].double()
        count, total, square = 0, torch.zeros(()), torch.zeros(())
        for sequence in sequences:
            bodies = self.store[sequence]
            frames = bodies.flatten(0, 1)
            if len(bodies) > 1:
                frames = frames[frames.flatten(1).any(dim=1)]
            frames = frames - origin
            count += frames.size(0)
            total = total + frames.sum(dim=0)
            square = square + frames.square().sum(dim=0)
        mean: Tensor = total / count
        variance = (square / count - mean.square()).clamp(min=0.0)
        if self.kind == "position":
            coordinates = variance[:, : self.num_coordinates]
            coordinates.fill_(coordinates.mean())
        return Standardize((origin + mean).float(), variance.sqrt().float())

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({len(self)}, "
            f"num_observed={self.num_observed}, "
            f"num_future={self.num_future})"
        )


def _drop_absent(
    frames: np.ndarray, num_bodies: Tensor
) -> tuple[np.ndarray, Tensor]:
    r"""The bodies [M, T, V, C] without those that are zero throughout, and how
    many each sample keeps: at least the first."""
    if len(frames) == len(num_bodies):
        return frames, num_bodies
    kept = torch.from_numpy(frames.any(axis=(1, 2, 3)))
    count = len(num_bodies)
    sample = torch.arange(count).repeat_interleave(num_bodies)
    empty = sample[kept].bincount(minlength=count) == 0
    kept[(num_bodies.cumsum(0) - num_bodies)[empty]] = True
    return frames[kept.numpy()], sample[kept].bincount(minlength=count)
