import zlib
from collections.abc import Iterator, Sized

import torch
from torch import Tensor
from torch.utils.data.distributed import DistributedSampler


class ShardSampler(DistributedSampler[int]):
    r"""Gives each process of a distributed run a contiguous part of a data
    set. Windows are in the order of the store, so each process reads its own
    shards, which hold a fair sample of all recordings. Parts are equally long;
    if the windows do not divide evenly, the last parts overlap.

    Args:
        dataset: The data set.
        num_replicas: The number of processes.
        rank: The number of this process.
        shuffle: Whether to reshuffle in each epoch. (default: :obj:`True`)
        seed: The seed of the shuffling. (default: :obj:`0`)
        labels: The class of each sample, of shape :math:`[N]`: samples are
            drawn, with replacement, such that all classes occur equally
            often; :obj:`shuffle` then changes nothing.
            (default: each sample once)

    Raises:
        ValueError: If :obj:`rank` is not below :obj:`num_replicas`, the data
            set has fewer samples than processes, or there is not one label per
            sample.
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int,
        rank: int,
        *,
        shuffle: bool = True,
        seed: int = 0,
        labels: Tensor | None = None,
    ) -> None:
        if not 0 <= rank < num_replicas:
            raise ValueError(
                f"'rank' must be one of 0..{num_replicas - 1}, got {rank}"
            )
        if len(dataset) < num_replicas:
            raise ValueError(
                f"{len(dataset)} samples are too few for {num_replicas} "
                f"processes"
            )
        # Trainers do not replace a distributed sampler.
        super().__init__(
            dataset,  # type: ignore[arg-type]
            num_replicas,
            rank,
            shuffle,
            seed,
        )
        size = self.num_samples
        first = min(rank * size, len(dataset) - size)
        self.indices = range(first, first + size)
        self.start = 0
        self.weights: Tensor | None = None
        if labels is not None:
            if labels.shape != (len(dataset),):
                raise ValueError(
                    f"Expected 'labels' of shape [{len(dataset)}], got "
                    f"{list(labels.shape)}"
                )
            own = labels[first : first + size]
            _, kind, counts = own.unique(
                return_inverse=True, return_counts=True
            )
            self.weights = 1.0 / counts[kind].double()

    def set_epoch(self, epoch: int) -> None:
        r"""Sets the epoch, on which the order depends.

        Args:
            epoch: The number of the epoch.
        """
        if epoch != self.epoch:
            self.epoch, self.start = epoch, 0

    def resume(self, epoch: int, start: int) -> None:
        r"""Skips the samples of an epoch that were already returned.

        Args:
            epoch: The number of the epoch.
            start: The number of samples to skip.
        """
        self.epoch, self.start = epoch, start

    def __iter__(self) -> Iterator[int]:
        return iter(self._order()[self.start :])

    def _order(self) -> list[int]:
        size, first = len(self.indices), self.indices.start
        generator = torch.Generator().manual_seed(
            zlib.crc32(repr((self.seed, self.epoch)).encode())
        )
        if self.weights is not None:
            # Like torch.multinomial, which is limited to 2^24 samples.
            drawn = torch.rand(size, dtype=torch.double, generator=generator)
            order = torch.searchsorted(
                self.weights.cumsum(0), drawn * self.weights.sum(), right=True
            ).clamp_(max=size - 1)
        elif self.shuffle:
            order = torch.randperm(size, generator=generator)
        else:
            order = torch.arange(size)
        return (order + first).tolist()
