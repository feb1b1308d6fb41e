from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from symgnn_pyg.errors import check_sizes, check_tensors


class PerFrameMetric(Metric):
    r"""The base class of metrics with one value per future frame. Values are
    averaged over the samples of each group, and then over groups, so that
    every group counts once.

    Args:
        num_joints: The number of joints :math:`V`.
        num_future: The number of future frames :math:`T'`.
        num_groups: The number of groups, such as actions.
            (default: :obj:`1`)
        num_coordinates: The number of leading channels that are coordinates;
            others, such as confidence, do not count. (default: all)
        **kwargs: Further arguments of :class:`torchmetrics.Metric`.

    Raises:
        ValueError: If a number is smaller than 1.
    """

    total: Tensor
    count: Tensor
    full_state_update = False
    is_differentiable = False

    def __init__(
        self,
        num_joints: int,
        num_future: int,
        num_groups: int = 1,
        *,
        num_coordinates: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_sizes(
            1,
            num_joints=num_joints,
            num_future=num_future,
            num_groups=num_groups,
        )
        self.num_joints = num_joints
        self.num_coordinates = num_coordinates
        total = torch.zeros(num_groups, num_future, dtype=torch.double)
        self.add_state("total", total, dist_reduce_fx="sum")
        count = torch.zeros(num_groups, dtype=torch.long)
        self.add_state("count", count, dist_reduce_fx="sum")
        self.keep_apart(num_joints=num_joints, num_coordinates=num_coordinates)

    def keep_apart(self, **settings: object) -> None:
        r"""Keeps a :class:`torchmetrics.MetricCollection` from merging the
        metric with those of other classes or other settings.

        Args:
            **settings: The settings that the values depend on.
        """
        # It merges metrics for good if the names and the values of their states
        # agree after the first batch, where values may agree by chance.
        name = f"_settings_{type(self).__name__}({settings})"
        self.add_state(name, torch.zeros(()), dist_reduce_fx="sum")

    def update(
        self,
        prediction: Tensor,
        target: Tensor,
        group: Tensor | np.ndarray | list[int] | None = None,
    ) -> None:
        r"""Adds a batch.

        Args:
            prediction: The predicted poses, :math:`[N \cdot V, T', C]`.
            target: The true poses, of the same shape.
            group: The group of each sample, :math:`[N]`.
                (default: all in group 0)

        Raises:
            TypeError: If poses are not tensors.
            ValueError: If the shapes do not fit, a group is out of range, or
                :obj:`target` holds NaN.
        """
        check_tensors(prediction=prediction, target=target)
        num_groups, future = self.total.shape
        if (
            prediction.shape != target.shape
            or prediction.dim() != 3
            or prediction.size(0) % self.num_joints != 0
            or prediction.size(1) != future
        ):
            raise ValueError(
                f"Expected 'prediction' and 'target' of the same shape "
                f"[N * {self.num_joints}, "
                f"{future}, C], got {list(prediction.shape)} and "
                f"{list(target.shape)}"
            )
        if target.isnan().any():
            raise ValueError(
                "Expected 'target' to be numbers, got NaN; fill missing joints "
                "first, with symgnn_pyg.io.fill_gaps or fill_gaps=True"
            )
        num_samples = prediction.size(0) // self.num_joints
        if group is None:
            group = self.count.new_zeros(num_samples)
        group = torch.as_tensor(group, device=self.count.device)
        if group.shape != (num_samples,):
            raise ValueError(
                f"Expected 'group' of shape [{num_samples}], got "
                f"{list(group.shape)}"
            )
        index = group.long()
        if not group.eq(index.clamp(0, num_groups - 1)).all():
            raise ValueError(
                f"'group' must hold integers from 0 to {num_groups - 1} for "
                f"{num_groups} groups, got {group.tolist()}"
            )
        channels = prediction.size(2)
        if (self.num_coordinates or 1) > channels:
            raise ValueError(
                f"Expected at least {self.num_coordinates} channels, the "
                f"'num_coordinates', got {channels}"
            )
        if num_samples == 0:
            return  # Statistics of nothing warn.
        value = self.sample_values(  # [N, T']
            *(
                poses[..., : self.num_coordinates]
                .detach()
                .double()
                .unflatten(0, (num_samples, self.num_joints))
                for poses in (prediction, target)
            )
        )
        # Casting a module also casts the states of the metrics in it.
        self.total = self.total.double()
        self.total.index_add_(0, index, value)
        self.count.index_add_(0, index, torch.ones_like(index))

    def _wrap_compute(self, compute: Callable[[], Tensor]) -> Any:
        wrapped = super()._wrap_compute(compute)
        # torchmetrics squeezes tensors with one element to scalars.
        return lambda: wrapped().view(-1)

    @abstractmethod
    def sample_values(self, prediction: Tensor, target: Tensor) -> Tensor:
        r"""Computes the value of each sample at each frame, :math:`[N, T']`,
        from poses in double precision, :math:`[N, V, T', C]`.
        """

    def compute(self) -> Tensor:
        r"""The average at each future frame, of shape :math:`[T']`."""
        return self.compute_groups()[self.count > 0].mean(dim=0)

    def compute_groups(self) -> Tensor:
        r"""The average of each group at each future frame, of shape
        :math:`[G, T']`; NaN for a group without samples.
        """
        return self.total / self.count.unsqueeze(1)
