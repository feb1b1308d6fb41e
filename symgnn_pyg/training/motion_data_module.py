from typing import Any

from lightning.pytorch import LightningDataModule
from torch import Tensor

from symgnn_pyg.data import ShardSampler, SkeletonLoader
from symgnn_pyg.training.samples import DatasetLike, labels_of


class MotionDataModule(LightningDataModule):
    r"""The splits of a data set for a :class:`lightning.pytorch.Trainer`. In
    distributed training, each process samples its own part of the data.

    Each split is a :class:`~symgnn_pyg.datasets.MotionDataset`, or a
    :class:`torch.utils.data.Subset` or
    :class:`torch.utils.data.ConcatDataset` of them.

    Args:
        train_dataset: The training split.
        val_dataset: The validation split. (default: :obj:`None`)
        test_dataset: The test split. (default: :obj:`None`)
        pred_dataset: The samples to predict. (default: :obj:`None`)
        batch_size: The number of samples per batch, summed over all
            processes. (default: :obj:`32`)
        balanced: Whether to sample all classes equally often in training.
            (default: :obj:`False`)
        num_workers: The number of loader processes per training process.
            (default: :obj:`0`)
        seed: The seed of the order and of random transforms.
            (default: :obj:`0`)

    Raises:
        ValueError: If :obj:`batch_size` is not divisible by the number of
            processes, or samples do not have one class with :obj:`balanced`.
    """

    def __init__(
        self,
        train_dataset: DatasetLike,
        val_dataset: DatasetLike | None = None,
        test_dataset: DatasetLike | None = None,
        *,
        pred_dataset: DatasetLike | None = None,
        batch_size: int = 32,
        balanced: bool = False,
        num_workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.train_dataset = train_dataset
        self.val_dataset = val_dataset
        self.test_dataset = test_dataset
        self.pred_dataset = pred_dataset
        self.batch_size = batch_size
        self.balanced = balanced
        self.num_workers = num_workers
        self.seed = seed

    def train_dataloader(self) -> SkeletonLoader:
        labels = None
        if self.balanced:
            labels = labels_of(self.train_dataset)
            if labels.dim() > 1:
                raise ValueError(
                    "Expected one class per sample with balanced=True, got "
                    "probabilities of classes; pass balanced=False"
                )
        return self._loader("train_dataset", training=True, labels=labels)

    def val_dataloader(self) -> SkeletonLoader | list[Any]:
        return [] if self.val_dataset is None else self._loader("val_dataset")

    def test_dataloader(self) -> SkeletonLoader:
        return self._loader("test_dataset")

    def predict_dataloader(self) -> SkeletonLoader:
        return self._loader("pred_dataset")

    def sample_names(self, batch_idx: int) -> list[str]:
        r"""The names of the samples in a training batch of this process: their
        indices in the training split and, if known, their sequences and first
        frames.

        Args:
            batch_idx: The index of the batch in its epoch.
        """
        assert self.trainer is not None
        loader: Any = self.trainer.train_dataloader
        size = loader.batch_size or 1
        # A resumed epoch starts after the samples that were already used.
        first = batch_idx * size - loader.sampler.start
        return [self._name(i) for i in list(loader.sampler)[first:][:size]]

    def _name(self, index: int) -> str:
        dataset: Any = self.train_dataset
        try:
            window = dataset.windows[dataset.indices()[index]]
            sequence = dataset.store.names[window.sequence]
        except AttributeError:
            return f"sample {index}"
        return f"sample {index} ({sequence!r} from frame {window.start})"

    def _loader(
        self, name: str, training: bool = False, labels: Tensor | None = None
    ) -> SkeletonLoader:
        dataset: DatasetLike | None = getattr(self, name)
        if dataset is None:
            raise ValueError(
                f"MotionDataModule has no {name!r}; pass one, or a loader to "
                f"the trainer"
            )
        trainer = self.trainer
        ranks = trainer.world_size if trainer else 1
        if self.batch_size % ranks != 0:
            raise ValueError(
                f"'batch_size' must be divisible by the number of processes, "
                f"{ranks}, got {self.batch_size}"
            )
        sampler = ShardSampler(
            dataset,
            ranks,
            trainer.global_rank if trainer else 0,
            shuffle=training,
            seed=self.seed,
            labels=labels,
        )
        return SkeletonLoader(
            dataset,
            batch_size=min(self.batch_size // ranks, len(sampler)),
            sampler=sampler,
            drop_last=training,
            num_workers=self.num_workers,
            pin_memory=trainer is not None
            and trainer.strategy.root_device.type == "cuda",
            seed=self.seed,
        )
