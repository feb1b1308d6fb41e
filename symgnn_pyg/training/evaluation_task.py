from itertools import chain
from typing import Any

from lightning.pytorch import LightningModule
from torch import Tensor
from torch.nn import Module
from torch_geometric.data import Batch

from symgnn_pyg.nn import SymGNNOutput
from symgnn_pyg.training.check_finite import check_batch, check_output
from symgnn_pyg.training.samples import (
    DatasetLike,
    check_network,
    labels_of,
    source_of,
)
from symgnn_pyg.training.task_metrics import TaskMetrics, find_standardize
from symgnn_pyg.typing import UNLABELLED


class EvaluationTask(LightningModule):
    r"""Measures a network on the samples of a data set; see
    :class:`SymGNNTask`, which also trains it.
    """

    def __init__(
        self, model: Module, dataset: DatasetLike, metric: str | None
    ) -> None:
        super().__init__()
        source, labels = source_of(dataset), labels_of(dataset)
        check_network(model, source)
        self.model = model
        self.num_joints = source.skeleton.num_joints
        self.num_classes = source.num_classes
        self.standardize = find_standardize(source.transform)
        self.unit = source.unit
        num_scores = getattr(model, "num_classes", 0)
        self.metrics = TaskMetrics(source, labels, num_scores, metric)
        self.labelled = self.metrics.labelled

    @property
    def _highest_rate(self) -> float | None:
        r"""The highest learning rate, if the network is trained."""
        return None

    def forward(self, batch: Batch) -> SymGNNOutput:
        r"""Runs the network on a batch.

        Args:
            batch: The batch.
        """
        return self.model(self._observed(batch), self._num_bodies(batch))

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        check_batch(batch, batch_idx)
        out = self(batch)
        check_output(batch_idx, out, self.global_step, self._highest_rate)
        self.metrics.update(
            out._replace(future=self._in_unit(out.future)),
            self._targets(batch),
            self._in_unit(batch.x[:, -1:]),
            self._in_unit(batch.get("future")),
            self._num_bodies(batch),
        )

    def predict_step(self, batch: Batch, batch_idx: int) -> SymGNNOutput:
        r"""The output of the network, with future poses in the unit of the
        data.

        Args:
            batch: The batch.
            batch_idx: The index of the batch.
        """
        check_batch(batch, batch_idx)
        out = self(batch)
        return out._replace(future=self._in_unit(out.future))

    def on_validation_epoch_end(self) -> None:
        self._log_metrics("val")

    test_step = validation_step

    def on_test_epoch_end(self) -> None:
        self._log_metrics("test")

    def _log_metrics(self, split: str) -> None:
        found = self.metrics.compute().items()
        self.metrics.reset()
        self.log_dict(
            {f"{split}_{name}": value.float() for name, value in found},
            prog_bar=True,
            sync_dist=True,
        )

    def _observed(self, batch: Batch) -> Tensor:
        # Lightning casts a network to its precision, but not PyG's batches.
        weights = chain(self.model.parameters(), self.model.buffers())
        like = next((w for w in weights if w.is_floating_point()), batch.x)
        return batch.x.to(like.dtype)

    def _targets(self, batch: Batch) -> Tensor:
        unlabelled = batch.x.new_full((batch.num_graphs,), UNLABELLED).long()
        return batch.get("y", unlabelled)

    def _num_bodies(self, batch: Batch) -> Tensor | None:
        single = batch.x.size(0) == batch.num_graphs * self.num_joints
        return None if single else batch.num_bodies

    def _in_unit(self, frames: Any) -> Any:
        if self.standardize is None or frames is None:
            return frames
        return self.standardize.inverse(frames)
