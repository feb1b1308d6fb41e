import os
import zlib
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import Module
from torch.optim import Optimizer
from torch_geometric.data import Batch

from symgnn_pyg.errors import check_choices, warn
from symgnn_pyg.nn import PoseLoss, SymbioticLoss, SymbioticLossOutput
from symgnn_pyg.nn.models.frozen import keep_frozen_statistics
from symgnn_pyg.training.check_finite import check_weights, describe
from symgnn_pyg.training.evaluation_task import EvaluationTask
from symgnn_pyg.training.gradient_clipping import clip_gradients
from symgnn_pyg.training.motion_data_module import MotionDataModule
from symgnn_pyg.training.recipes import (
    RATES,
    RECIPES,
    base_rates,
    configure,
    progress,
    set_base_rates,
)
from symgnn_pyg.training.safetensors_checkpoint import SafetensorsCheckpoint
from symgnn_pyg.training.samples import DatasetLike, statistics_of
from symgnn_pyg.typing import Normalization


class SymGNNTask(EvaluationTask):
    r"""Trains a :class:`~symgnn_pyg.nn.SymGNN`, or a network with the same
    arguments and outputs, on recognition and prediction together.

    The start of training logs the settings of the task and of the network, and
    each step the losses, :math:`\alpha` and the learning rate. The norm of
    equation (12), which sums over joints and frames, is logged as its mean over
    both. Each validation logs the prediction error, averaged over frames and
    then over classes (:obj:`val_error`), the error of zero velocity
    (:obj:`val_still`), the accuracy (:obj:`val_top1`, :obj:`val_top5`, if there
    are several classes and labels), and a score to minimise
    (:obj:`val_score`): the prediction error divided by that of zero velocity,
    minus the accuracy.

    Training starts in training mode, whatever the mode of the network was. To
    train only a part of it, freeze the rest by :obj:`requires_grad_(False)`;
    frozen batch normalisations also keep their running statistics, until the
    first epoch after their release.

    The random numbers of a step depend only on the seed, the step, the batch
    and the process, so resumed training gives the same results as
    uninterrupted training.

    Gradients whose norm exceeds three times its moving average are clipped,
    unless the trainer has a :obj:`gradient_clip_val`.

    If a loss is not finite, training stops on all processes with a
    :class:`FloatingPointError` that names the step and the responsible
    samples, or the batch is skipped and counted (:obj:`skipped`). Weights that
    are not finite are never saved. Validation, test and prediction refuse
    samples that are not finite.

    Args:
        model: The network.
        dataset: A data set with the skeleton, classes and transform of the
            training data, or a :class:`torch.utils.data.Subset` or
            :class:`torch.utils.data.ConcatDataset`. If the transform contains
            a :class:`~symgnn_pyg.transforms.Standardize`, errors are measured
            in the unit of the data.
        weighting: The weighting of the losses; see
            :class:`~symgnn_pyg.nn.SymbioticLoss`. (default: :obj:`"mgda"`)
        recipe: The optimiser and the learning rate schedule.
            :obj:`"one_cycle"` is AdamW with one cycle over the whole training,
            whether steps or time limit it. :obj:`"cosine"`, with which action
            recognition is usually trained, is SGD with Nesterov momentum
            whose learning rate falls to zero along a cosine.
            :obj:`"light"` (Adam) and :obj:`"full"` (SGD, divided by 10 every
            40 epochs) are the recipes of the paper for the light and the full
            network. (default: :obj:`"one_cycle"`)
        learning_rate: The highest learning rate, also of training that is
            resumed. Groups of parameters with learning rates of their own, in
            a subclass, keep them. (default: 1.5e-3 for
            :obj:`"one_cycle"`, 0.1 for :obj:`"cosine"`, that of the paper for
            its recipes)
        metric: The prediction error that you expect, since the data decide:
            :obj:`"angle"` (:class:`~symgnn_pyg.metrics.MeanAngleError`) for
            exponential maps, in radians; :obj:`"position"`
            (:class:`~symgnn_pyg.metrics.MPJPE`) for positions and for bones
            and differences of either, in their unit. Data that hold something
            else are refused. (default: no check)
        seed: The seed. (default: :obj:`0`)
        skip_nonfinite: Whether to skip batches whose loss is not finite, which
            then change neither weights nor statistics.
            (default: :obj:`False`)
        prediction_criterion: The prediction loss: :obj:`"l1"` for equation
            (12) on normalised poses, :obj:`"pose"` for
            :class:`~symgnn_pyg.nn.PoseLoss` in the unit of the data (for bones
            of normalised joints, in their own unit). (default: :obj:`"l1"`)
        normalization: The scale of each task's gradient for :obj:`"mgda"`; see
            :class:`~symgnn_pyg.nn.SymbioticLoss`. (default: :obj:`"l2"`)
        recognition_criterion: The recognition loss, such as
            :obj:`CrossEntropyLoss(weight=...)` for class weights or
            :obj:`BCEWithLogitsLoss()` for samples of several classes; see
            :class:`~symgnn_pyg.nn.SymbioticLoss`. (default: equation (11))

    Raises:
        ValueError: If :obj:`prediction_criterion`, :obj:`normalization`,
            :obj:`recipe` or :obj:`metric` is unknown, or the data set does not
            fit the network or :obj:`metric`.
    """

    def __init__(
        self,
        model: Module,
        dataset: DatasetLike,
        weighting: float | str = "mgda",
        *,
        recipe: str = "one_cycle",
        learning_rate: float | None = None,
        metric: str | None = None,
        seed: int = 0,
        skip_nonfinite: bool = False,
        prediction_criterion: str = "l1",
        normalization: Normalization = "l2",
        recognition_criterion: Module | None = None,
    ) -> None:
        super().__init__(model, dataset, metric)
        check_choices(("l1", "pose"), prediction_criterion=prediction_criterion)
        check_choices(RECIPES, recipe=recipe)
        self.recipe = recipe
        self.learning_rate = learning_rate
        self._configured_rate = learning_rate
        self._base_rates: list[list[float]] = []
        self.prediction_criterion = prediction_criterion
        self.seed = seed
        self.skip_nonfinite = skip_nonfinite
        self.skipped = 0
        self._skipping = False
        self._norms = torch.zeros(2)
        pose_loss = None
        if prediction_criterion == "pose":
            std = torch.ones(self.num_joints, 1)
            if self.standardize is not None:
                std = self.standardize.std
            pose_loss = PoseLoss(std)
        self.criterion = SymbioticLoss(
            weighting,
            pose_loss,
            normalization=normalization,
            recognition_criterion=recognition_criterion,
        )

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]
        cls, checkpoint_path: str | os.PathLike[str], **kwargs: Any
    ) -> Self:
        r"""Creates a task with the weights of a checkpoint.

        Args:
            checkpoint_path: The file, such as :obj:`best.ckpt`.
            **kwargs: The arguments of the task, of which :obj:`model` and
                :obj:`dataset` are required: a checkpoint holds neither.

        Raises:
            DataError: If the file is not a checkpoint of
                :class:`SafetensorsCheckpoint`.
            TypeError: If :obj:`model` or :obj:`dataset` is missing.
        """
        missing = {"model", "dataset"} - kwargs.keys()
        if missing:
            raise TypeError(
                f"A checkpoint holds neither network nor data; pass "
                f"{' and '.join(sorted(missing))} to load_from_checkpoint"
            )
        for name in ("map_location", "hparams_file", "weights_only"):
            kwargs.pop(name, None)
        strict = kwargs.pop("strict", None)
        task = cls(**kwargs)
        checkpoint = SafetensorsCheckpoint().load_checkpoint(checkpoint_path)
        task.on_load_checkpoint(checkpoint)
        task.load_state_dict(checkpoint["state_dict"], strict is not False)
        return task

    def compile(self, **kwargs: Any) -> None:
        r"""Compiles the network and the losses together with
        :func:`torch.compile`, as the gradients of MGDA require. Checkpoints
        are the same as without compilation.

        Args:
            **kwargs: Arguments of :func:`torch.compile`.
        """
        # torch has no public switch for tracing torch.autograd.grad.
        traced = torch._dynamo.config.patch(trace_autograd_ops=True)
        self._losses = traced(  # type: ignore[method-assign]
            torch.compile(self._losses, **kwargs)
        )

    @property
    def _highest_rate(self) -> float:
        if self.learning_rate is None:
            return RATES[self.recipe]
        return self.learning_rate

    def configure_optimizers(self) -> Any:
        self._configured_rate = self.learning_rate
        # `progress` is called later, since it loads the data, which the trainer
        # may only do once it knows where to resume.
        return configure(
            self.recipe,
            self.model.parameters(),
            self.learning_rate,
            lambda: progress(self.trainer),
        )

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # With gradient accumulation, a step has several batches.
        drawn = (self.seed, self.global_step, batch_idx, self.global_rank)
        torch.manual_seed(zlib.crc32(repr(drawn).encode()))

    def on_fit_start(self) -> None:
        # A loaded network is in evaluation mode, which Lightning would keep.
        self.train()
        # A finder of learning rates runs after the optimisers were made.
        if self.learning_rate != self._configured_rate:
            self.trainer.strategy.setup_optimizers(self.trainer)
        self._base_rates = base_rates(self.trainer)

    def on_train_start(self) -> None:
        data = getattr(self.trainer, "datamodule", None)
        settings = {
            **getattr(self.model, "arguments", {}),
            "weighting": self.criterion.weighting,
            "normalization": self.criterion.normalization,
            "prediction_criterion": self.prediction_criterion,
            "recipe": self.recipe,
            "learning_rate": self._highest_rate,
            "batch_size": getattr(data, "batch_size", None),
            "seed": self.seed,
            "num_parameters": sum(p.numel() for p in self.parameters()),
        }
        plain = (bool, int, float, str)
        settings = {
            name: value if isinstance(value, plain) else str(value)
            for name, value in settings.items()
            if value is not None
        }
        for logger in self.loggers:
            logger.log_hyperparams(settings)
        # Resumed training has the learning rates of the checkpoint. A finder of
        # learning rates starts before there are any to return to.
        if self.learning_rate is not None and self._base_rates:
            set_base_rates(self.trainer, self._base_rates)
        self._base_rates = []

    def on_train_epoch_start(self) -> None:
        keep_frozen_statistics(self.model)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        kept = [b.clone() for b in self.buffers() if self.skip_nonfinite]
        loss = self._losses(
            self._observed(batch),
            self._num_bodies(batch),
            self._targets(batch),
            batch.get("future"),
        )
        # Either all processes take a step or none.
        self._skipping = not self.trainer.strategy.reduce_boolean_decision(
            bool(loss.total.isfinite())
        )
        if self._skipping:
            return self._skip(batch, batch_idx, loss, kept)
        prediction = loss.prediction_loss
        of_l1 = self.criterion.prediction_criterion is None
        if prediction is not None and of_l1:
            # As a mean per joint and frame.
            joints, frames, _ = batch.future.shape
            prediction = prediction * (batch.num_graphs / (joints * frames))
        parts = {
            "recognition": loss.recognition_loss,
            "prediction": prediction,
            "alpha": loss.alpha,
        }
        self.log_dict(
            {name: v.detach() for name, v in parts.items() if v is not None},
            prog_bar=True,
            batch_size=batch.num_graphs,
        )
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        self.log("learning_rate", rate, batch_size=batch.num_graphs)
        return loss.total

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        # With gradient accumulation, other batches still contribute gradients.
        if self._skipping and self.trainer.accumulate_grad_batches == 1:
            optimizer.zero_grad()

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        if gradient_clip_val is not None:
            self.clip_gradients(
                optimizer, gradient_clip_val, gradient_clip_algorithm
            )
        else:
            self._norms = clip_gradients(self.model.parameters(), self._norms)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        check_weights(self.global_step, checkpoint["state_dict"].items())
        checkpoint["recipe"] = self.recipe
        checkpoint["standardize"] = statistics_of(self.standardize)
        checkpoint["skipped"] = self.skipped
        checkpoint["norms"] = self._norms.tolist()
        found = self.trainer.callback_metrics.items()
        checkpoint["metrics"] = {
            name: float(v) for name, v in found if name.startswith("val_")
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        # The public `trainer` raises an error for a task without one.
        if self._trainer is not None and self._trainer.training:
            self._check_resumable(checkpoint)
        if self.criterion.weighting != "mgda":
            checkpoint["state_dict"]["criterion.alpha"] = self.criterion.alpha
        self.skipped = checkpoint.get("skipped", 0)
        self._norms = torch.tensor(checkpoint.get("norms", [0.0, 0.0]))

    def _check_resumable(self, checkpoint: dict[str, Any]) -> None:
        kept = checkpoint.get("recipe", self.recipe)
        if kept != self.recipe:
            raise ValueError(
                f"The checkpoint was trained with recipe={kept!r}, got "
                f"{self.recipe!r}, whose optimiser cannot continue from there; "
                f"pass recipe={kept!r}, or start a new training from the "
                f"weights with load_from_checkpoint"
            )
        statistics = statistics_of(self.standardize)
        before = torch.tensor(checkpoint.get("standardize", statistics))
        now = torch.tensor(statistics)
        # Another machine may have rounded the sums differently.
        if before.shape != now.shape or not torch.allclose(
            before, now, rtol=1e-4, atol=1e-6
        ):
            raise ValueError(
                "The checkpoint was trained on poses with another mean or "
                "deviation than those of the data set's 'standardize()': pass "
                "the transform of that training, or start a new training from "
                "the weights with load_from_checkpoint"
            )

    def _losses(
        self, x: Tensor, num_bodies: Tensor | None, y: Tensor, future: Tensor
    ) -> SymbioticLossOutput:
        out = self.model(x, num_bodies)
        if not self.labelled and out.future is not None:
            out = out._replace(logits=None)
        return self.criterion(out, y, future)

    def _skip(
        self,
        batch: Batch,
        batch_idx: int,
        loss: SymbioticLossOutput,
        kept: list[Tensor],
    ) -> Tensor:
        r"""Raises an error, or restores buffers and returns a loss of zero."""
        check_weights(self.global_step, self.model.named_parameters())
        names = [f"sample {i} of the batch" for i in range(batch.num_graphs)]
        data = getattr(self.trainer, "datamodule", None)
        if isinstance(data, MotionDataModule):
            names = data.sample_names(batch_idx)
        text = describe(self.global_step, batch, loss, names)
        if not self.skip_nonfinite:
            raise FloatingPointError(text)
        if not loss.total.isfinite():
            warn(f"{text}; the batch was skipped")
        for buffer, before in zip(self.buffers(), kept, strict=True):
            buffer.copy_(before)
        self.skipped += 1
        self.log("skipped", float(self.skipped), prog_bar=True)
        nothing = (0.0 * p.sum() for p in self.model.parameters())
        return sum(nothing, loss.total.new_zeros(()))
