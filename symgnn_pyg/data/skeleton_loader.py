import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch_geometric.data import Batch
from torch_geometric.utils import cumsum

from symgnn_pyg.data.shard_sampler import ShardSampler
from symgnn_pyg.data.skeleton_data import SkeletonData
from symgnn_pyg.skeleton import Skeleton


class Batchable(Protocol):
    r"""A data set that makes a batch at once."""

    def __len__(self) -> int: ...

    def batch(self, indices: Sequence[int]) -> Batch:
        r"""The batch of some samples."""


class SkeletonLoader(DataLoader[Batch]):
    r"""Loads batches of a :class:`~symgnn_pyg.datasets.MotionDataset`, equal
    to those of :class:`torch_geometric.loader.DataLoader` and several times as
    fast: the windows of a batch are read into one array, and the graphs of
    equal skeletons, which repeat, are made in one piece. Transforms that
    change the motion alone are applied to the whole batch; what they draw at
    random depends on the seed, the epoch and the samples of the batch, not on
    the workers.

    With a :class:`ShardSampler`, :meth:`state_dict` tells how far an epoch
    has come, and a loader that it is loaded into goes on from there.

    Args:
        dataset: The data set.
        batch_size: The number of samples in a batch. (default: :obj:`1`)
        shuffle: Whether to shuffle anew in each epoch. (default: :obj:`False`)
        seed: The seed of random transforms. (default: :obj:`0`)
        **kwargs: The further arguments of
            :class:`torch.utils.data.DataLoader`.
    """

    def __init__(
        self,
        dataset: Batchable,
        batch_size: int = 1,
        shuffle: bool = False,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        if "collate_fn" in kwargs:
            raise ValueError("'collate_fn' is what this loader brings itself")
        self._whole = _Whole(dataset, seed)
        super().__init__(
            self._whole,  # type: ignore[arg-type]
            batch_size,
            shuffle,
            collate_fn=_as_it_is,
            **kwargs,
        )
        self._batches = 0

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        given = getattr(self.sampler, "start", 0)
        self._batches = given // (self.batch_size or 1)
        self._whole.epoch = getattr(self.sampler, "epoch", 0)
        for batch in super().__iter__():
            self._batches += 1
            yield batch
        if given:
            self.sampler.start = 0  # type: ignore[attr-defined]

    def state_dict(self) -> dict[str, int]:
        r"""The epoch, and how many of its batches were given."""
        return {"epoch": self._whole.epoch, "batches": self._batches}

    def load_state_dict(self, state: dict[str, int]) -> None:
        r"""Goes on behind the batches that were given already.

        Args:
            state: What :meth:`state_dict` returned.

        Raises:
            ValueError: If the sampler is no :class:`ShardSampler`.
        """
        if not isinstance(self.sampler, ShardSampler):
            raise ValueError("Only a loader with a ShardSampler can go on")
        size = self.batch_size or 1
        self.sampler.resume(state["epoch"], size * state["batches"])


class _Whole:
    def __init__(self, dataset: Batchable, seed: int) -> None:
        self.dataset = dataset
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        drawn = repr((self.seed, self.epoch, list(indices)))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(zlib.crc32(drawn.encode()))
            return self.dataset.batch(indices)


def _as_it_is(batch: Batch) -> Batch:
    return batch


def batch_of_bodies(
    x: Tensor,
    future: Tensor,
    y: Tensor,
    skeleton: Skeleton,
    num_bodies: Tensor,
) -> Batch:
    r"""The batch that :meth:`Batch.from_data_list` makes of samples of one
    skeleton, from tensors that are joined already.

    Args:
        x: The observed frames, of shape :math:`[M \cdot V, T, C]`, where
            :math:`M` is the number of bodies of all samples.
        future: The frames to predict, of shape :math:`[M \cdot V, T', C]`.
        y: The labels, of shape :math:`[N]`.
        skeleton: The skeleton.
        num_bodies: The number of bodies of each sample, of shape :math:`[N]`.
    """
    # In a batch, bodies lie beside each other as they do in a sample.
    whole = SkeletonData(x, future, y, skeleton)
    batch = Batch(_base_cls=SkeletonData)
    bodies = cumsum(num_bodies)
    samples = torch.arange(y.numel() + 1)
    slices: dict[str, Tensor] = {}
    incs: dict[str, Tensor | None] = {}
    for key, value in whole.to_dict().items():
        slices[key] = samples
        incs[key] = torch.zeros(y.numel(), dtype=torch.long)
        if key == "skeleton":
            value, incs[key] = [skeleton] * y.numel(), None
        elif key == "num_bodies":
            value = num_bodies
        elif key != "y":
            dim = whole.__cat_dim__(key, value)
            slices[key] = bodies * (value.size(dim) // whole.num_bodies)
            step = int(whole.__inc__(key, value)) // whole.num_bodies
            incs[key] = bodies[:-1] * step
        batch[key] = value
    rows = num_bodies * skeleton.num_joints
    batch.batch = samples[:-1].repeat_interleave(rows)
    batch.ptr = cumsum(rows)
    batch._num_graphs = y.numel()
    batch._slice_dict = slices
    batch._inc_dict = incs
    return batch
