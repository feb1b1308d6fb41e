"""The motion that the experiments use."""

import hashlib
import warnings
from pathlib import Path

import torch
from torch import Tensor

from examples.shared import positions_of
from symgnn_pyg.data import SkeletonData
from symgnn_pyg.datasets import (
    CMUMocap,
    Human36M,
    MotionDataset,
    SyntheticMotion,
)
from symgnn_pyg.errors import DataError, check_fractions
from symgnn_pyg.files import expanded

DATA_SETS = {"cmu": CMUMocap, "h36m": Human36M}
SPLITS = ("train", "val", "test")
# The paper observes 50 frames. Few recordings do not teach a network what the
# earlier 30 are for, and without them a step takes less than half of the time.
OBSERVED = 20
# Predicted frames in short-term and long-term prediction.
HORIZONS = (10, 25)
FRAME_MS = 40


class Data:
    """The windows of a data set, standardised by its training split.

    Args:
        source: :obj:`"synthetic"`, or the folder or zip archive of the data
            set.
        folder: The folder for parsed motion.
        dataset: The name of the data set. (default: :obj:`"cmu"`)
    """

    def __init__(self, source: str, folder: Path, dataset: str = "cmu") -> None:
        if source != "synthetic" and not expanded(source).exists():
            raise DataError(f"{source} does not exist")
        self.source = source
        self.folder = folder
        self.synthetic = source == "synthetic"
        self.dataset = dataset
        self.name = (
            "synthetic motion" if self.synthetic else DATA_SETS[dataset].title
        )
        # Missing files raise an error before anything is trained.
        self._opened = {
            (split, horizon): self._read(split, horizon)
            for horizon in HORIZONS
            for split in SPLITS
        }
        train = self._opened["train", HORIZONS[0]]
        self.skeleton = train.skeleton
        self.classes = train.classes
        self.trained = train.labels.unique()
        self.absent = getattr(train, "missing", [])
        self._standardize = train.standardize()
        store = train.store
        # Other recordings may have the same names and lengths. Synthetic
        # ones have no checksum; GENERATOR is their version.
        content = [store.names, store.sources, store.checksums]
        digest = hashlib.sha256(repr(content).encode()).hexdigest()[:12]
        self.identity = f"{self.name} {digest}"

    def split(
        self,
        split: str,
        num_observed: int = OBSERVED,
        num_future: int = 10,
        horizon: int = 10,
    ) -> MotionDataset:
        """The windows of a split.

        Args:
            split: :obj:`"train"`, :obj:`"val"` or :obj:`"test"`.
            num_observed: The number of observed frames.
            num_future: The number of frames to predict.
            horizon: The number of frames in a window after its first
                :obj:`OBSERVED`. Windows with the same horizon start at the
                same frames.
        """
        if num_observed + num_future > OBSERVED + horizon:
            raise ValueError(
                f"Windows of {OBSERVED} + {horizon} frames have no room for "
                f"{num_observed} + {num_future}"
            )
        opened = self._opened[split, horizon]
        dataset = MotionDataset(
            opened.store,
            opened.windows,
            num_observed=num_observed,
            num_future=num_future,
            stride=opened.stride,
            transform=self._standardize,
        )
        dataset.kind, dataset.unit = opened.kind, opened.unit
        return dataset

    def positions(self, pose: Tensor) -> Tensor:
        """The joints' positions in metres, of shape [N * V, T, 3].

        Args:
            pose: Poses in the unit of the data, of shape [N * V, T, C].
        """
        return positions_of(pose, self.skeleton)

    def _read(self, split: str, horizon: int) -> MotionDataset:
        if self.synthetic:
            return SyntheticMotion(
                self.folder, split, num_observed=OBSERVED, num_future=horizon
            )
        with warnings.catch_warnings():
            # Every page lists the missing files.
            warnings.filterwarnings("ignore", r".* lacks \d+ files")
            try:
                return DATA_SETS[self.dataset](
                    self.source,
                    split,
                    num_observed=OBSERVED,
                    num_future=horizon,
                    allow_missing=True,
                    path=self.folder / f"{self.dataset}.h5",
                )
            except DataError as error:
                raise DataError(
                    f"{error} (split {split!r} of {self.source})"
                ) from error


class NoisySupervision:
    """Training data in which some targets or labels belong to other samples,
    for :class:`~symgnn_pyg.training.MotionDataModule`.

    Args:
        dataset: The data set.
        targets: The share of the samples whose futures are shuffled.
        labels: The share of the samples whose labels are shuffled.
        seed: The seed.
    """

    def __init__(
        self, dataset: MotionDataset, targets: float, labels: float, seed: int
    ) -> None:
        self.dataset = dataset
        self.skeleton = dataset.skeleton
        self.num_classes = dataset.num_classes
        self.num_future = dataset.num_future
        self.transform = dataset.transform
        check_fractions(targets=targets, labels=labels)
        generator = torch.Generator().manual_seed(seed)
        self.target_of = _shuffled(len(self), targets, generator)
        moved = _shuffled(len(self), labels, generator)
        self.labels = dataset.labels[moved]

    def __len__(self) -> int:
        return len(self.dataset)

    def batch(self, indices: list[int]) -> SkeletonData:
        batch = self.dataset.batch(indices)
        others = self.target_of[indices]
        moved = others != torch.as_tensor(indices)
        if moved.any():
            targets = batch.future.unflatten(0, (len(indices), -1))
            others = self.dataset.batch(others[moved].tolist()).future
            targets[moved] = others.view_as(targets[moved])
        batch.y = self.labels[indices]
        return batch


def _shuffled(size: int, share: float, generator: torch.Generator) -> Tensor:
    """The indices from 0 to `size` - 1, with a share of them permuted."""
    order = torch.arange(size)
    count = round(share * size)
    chosen = torch.randperm(size, generator=generator)[:count]
    order[chosen] = chosen.roll(1)
    return order
