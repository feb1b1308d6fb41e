import zlib
from collections.abc import Iterator, Sequence
from multiprocessing import Process
from multiprocessing.connection import wait
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset
from torch_geometric.data import Batch
from torch_geometric.utils import cumsum

from symgnn_pyg.data.shard_sampler import ShardSampler


class SkeletonLoader(DataLoader[Batch]):
    r"""Loads batches of a :class:`~symgnn_pyg.datasets.MotionDataset`, equal
    to those of :class:`torch_geometric.loader.DataLoader` and several times as
    fast: the windows of a batch are read into one array, and the graphs of
    equal skeletons, which repeat, are made in one piece. Transforms that
    change only the motion are applied to the whole batch; what they draw at
    random depends on the seed, the epoch and the samples of the batch, not on
    the workers. The epoch is that of the sampler if it has one, and otherwise
    the number of times that the loader was iterated over before.

    With a :class:`ShardSampler`, :meth:`state_dict` holds the position within
    the epoch, and a loader with that state continues from there.

    Other data sets of :class:`~symgnn_pyg.data.SkeletonData`, such as subsets
    and concatenated ones, are read sample by sample, as PyG's loader does.

    Args:
        dataset: The data set.
        batch_size: The number of samples in a batch. (default: :obj:`1`)
        shuffle: Whether to reshuffle in each epoch. (default: :obj:`False`)
        follow_batch: The keys, such as :obj:`"bone_x"`, for which to add
            :obj:`{key}_batch`, the sample of each row, and :obj:`{key}_ptr`.
            (default: none)
        exclude_keys: The keys to leave out of batches. (default: none)
        seed: The seed of random transforms. (default: :obj:`0`)
        **kwargs: The further arguments of
            :class:`torch.utils.data.DataLoader`.

    Raises:
        TypeError: If the data set is iterable only.
        RuntimeError: If a worker was killed, for example for lack of memory.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        follow_batch: Sequence[str] | None = None,
        exclude_keys: Sequence[str] | None = None,
        *,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        # Lightning recreates loaders from their attributes.
        kwargs.pop("collate_fn", None)
        if isinstance(dataset, _Whole):
            dataset = dataset.dataset
        if isinstance(dataset, IterableDataset):
            raise TypeError(
                f"A SkeletonLoader reads samples by their index; load the "
                f"{type(dataset).__name__}, an IterableDataset, with "
                f"torch_geometric.loader.DataLoader"
            )
        self.seed = seed
        self.follow_batch = follow_batch
        self.exclude_keys = exclude_keys
        self._whole = _Whole(
            dataset, seed, follow_batch or (), exclude_keys or ()
        )
        super().__init__(
            self._whole,  # type: ignore[arg-type]
            batch_size,
            shuffle,
            collate_fn=_as_it_is,
            **kwargs,
        )
        self._batches = 0
        self._runs = 0

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        sampler = self._sampler()
        given = getattr(sampler, "start", 0)
        self._batches = given // self._size()
        self._whole.epoch.fill_(getattr(sampler, "epoch", self._runs))
        self._runs += 1
        batches = super().__iter__()
        try:
            for batch in batches:
                self._batches += 1
                yield batch
        except (EOFError, OSError):
            # Torch does not notice every worker that was killed.
            _check_workers(getattr(batches, "_workers", ()))
            raise
        if given:
            sampler.start = 0

    def state_dict(self) -> dict[str, int]:
        r"""The epoch, the number of batches returned so far, and their size."""
        return {
            "epoch": int(self._whole.epoch),
            "batches": self._batches,
            "batch_size": self._size(),
        }

    def load_state_dict(self, state: dict[str, int]) -> None:
        r"""Continues after the batches that were already returned.

        Args:
            state: What :meth:`state_dict` returned.

        Raises:
            ValueError: If the sampler is not a :class:`ShardSampler`, or the
                batches had another size and the epoch is not finished.
        """
        sampler, size = self._sampler(), self._size()
        if not isinstance(sampler, ShardSampler):
            raise ValueError("Only a loader with a ShardSampler can continue")
        before = state.get("batch_size", size)
        if before != size and before * (state["batches"] + 1) <= len(sampler):
            raise ValueError(
                f"The epoch to resume was started with 'batch_size' {before}, "
                f"got {size}; pass {before} until it is finished"
            )
        sampler.resume(state["epoch"], before * state["batches"])

    def _sampler(self) -> Any:
        # DataLoader.sampler is unused if a batch sampler was passed.
        return getattr(self.batch_sampler, "sampler", self.sampler)

    def _size(self) -> int:
        size = getattr(self.batch_sampler, "batch_size", self.batch_size)
        return size or 1


class _Whole:
    def __init__(
        self,
        dataset: Any,
        seed: int,
        follow_batch: Sequence[str],
        exclude_keys: Sequence[str],
    ) -> None:
        self.dataset = dataset
        self.seed = seed
        self.follow_batch = follow_batch
        self.exclude_keys = exclude_keys
        # Shared memory, so that persistent workers see the next epoch.
        self.epoch = torch.zeros((), dtype=torch.long).share_memory_()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        # Code that asks the loader for its data set expects the user's.
        if name == "dataset":
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __getitem__(self, index: Any) -> Any:
        return self.dataset[index]

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        drawn = repr((self.seed, int(self.epoch), list(indices)))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(zlib.crc32(drawn.encode()))
            if hasattr(self.dataset, "batch"):
                return self._selected(self.dataset.batch(indices))
            return Batch.from_data_list(
                [self.dataset[i] for i in indices],
                self.follow_batch,
                self.exclude_keys,
            )

    def _selected(self, batch: Batch) -> Batch:
        for key in set(self.exclude_keys) & set(batch._slice_dict):
            del batch[key], batch._slice_dict[key], batch._inc_dict[key]
        for key in set(self.follow_batch) & set(batch._slice_dict):
            rows = batch._slice_dict[key].diff()
            sample = torch.arange(rows.numel()).repeat_interleave(rows)
            batch[f"{key}_batch"], batch[f"{key}_ptr"] = sample, cumsum(rows)
        return batch


def _check_workers(workers: Sequence[Process]) -> None:
    ending = wait([worker.sentinel for worker in workers], timeout=1.0)
    for worker in workers:
        if worker.sentinel in ending:
            worker.join()
        if worker.exitcode:
            raise RuntimeError(
                f"DataLoader worker (pid {worker.pid}) exited with "
                f"{worker.exitcode}, the number of a signal if negative"
            )


def _as_it_is(batch: Batch) -> Batch:
    return batch
