from collections.abc import Callable
from typing import Any, get_args

import torch
from torch import Tensor
from torch.nn import Module

from symgnn_pyg.data import bone_features
from symgnn_pyg.inference.ensemble import Ensemble
from symgnn_pyg.inference.mirror_average import MirrorAverage
from symgnn_pyg.nn import DualSymGNN, SymGNN
from symgnn_pyg.nn.batch import sample_of_body
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms import (
    Center,
    Difference,
    NormalizeView,
    Resample,
    Standardize,
    ToBones,
    steps_of,
)

Network = SymGNN | DualSymGNN | Ensemble | MirrorAverage
NETWORKS: dict[str, type[Network]] = {
    kind.__name__: kind for kind in get_args(Network)
}
Step = Center | Difference | NormalizeView | Resample | Standardize | ToBones
# The deterministic transforms by name.
STEPS: dict[str, type[Step]] = {
    step.__name__: step
    for step in (
        Center, Difference, NormalizeView, Resample, Standardize, ToBones,
    )
}  # fmt: skip


class PoseNetwork(Module):
    r"""A network on tensors of raw windows: it applies the transforms that the
    network was trained with, and undoes them in the predicted poses.

    Args:
        model: The network.
        transform: The transforms; see :class:`PoseModel`.
        skeleton: The skeleton of raw windows; see :class:`PoseModel`.

    Shapes:
        - **input:** windows :math:`[M, V, T, C]` of the :math:`M` bodies of
          :math:`N` samples
        - **output:** class scores before the softmax :math:`[N, K]` and future
          poses :math:`[M, V, T', C]`, or :obj:`None` if the network has no
          such head
    """

    def __init__(
        self,
        model: Network,
        transform: Callable[..., Any] | None = None,
        skeleton: Skeleton | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.steps = deterministic_steps(transform)
        self.skeleton = _raw_skeleton(self.steps, model, skeleton)
        joint = model.joint if isinstance(model, DualSymGNN) else model
        self.num_channels = joint.in_channels
        self.num_classes = joint.num_classes
        self.pose_shape = (self.skeleton.num_joints, self.num_channels)
        at = self.skeleton
        for step in self.steps:
            _check_fits(step, at, self.num_channels)
            at = at.dual() if isinstance(step, ToBones) else at
        # The numbers of frames of the data, before any resampling.
        self.num_observed = joint.num_observed
        self.num_future = joint.num_future
        for step in reversed(self.steps):
            if isinstance(step, Resample):
                self.num_observed = step.num_required(self.num_observed)
                self.num_future = step.num_restored(
                    self.num_observed, self.num_future
                )
        if joint.num_future and not self.num_future:
            raise ValueError(
                f"The {joint.num_future} predicted frames end before the next "
                f"frame of the data, whose rate {self.steps} changes"
            )

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> tuple[Tensor | None, Tensor | None]:
        r"""Runs the forward pass.

        Args:
            x: The windows, of shape :math:`[M, V, T, C]`.
            num_bodies: The number of bodies in each sample, of shape
                :math:`[N]`. (default: one body per sample)
        """
        sample = torch.arange(x.size(0), device=x.device)
        if num_bodies is not None:
            sample = sample_of_body(num_bodies, x.size(0))
        skeleton = self.skeleton
        undo = []
        for step in self.steps:
            undo.append((step, x, skeleton))
            x = step.transform(x, skeleton, sample)
            if isinstance(step, ToBones):
                skeleton = skeleton.dual()
        rows = x.flatten(0, 1)
        if isinstance(self.model, DualSymGNN):
            bone_x = bone_features(rows, skeleton)
            logits, future = self.model(rows, bone_x, num_bodies)[:2]
        else:
            logits, future = self.model(rows, num_bodies)[:2]
        if future is not None:
            future = future.unflatten(0, x.shape[:2])
            for step, observed, skeleton in reversed(undo):
                future = step.restore(future, observed, skeleton, sample)
        return logits, future


def deterministic_steps(transform: Callable[..., Any] | None) -> list[Step]:
    r"""The steps of a transform that can be repeated and undone.

    Args:
        transform: A transform of this library, a
            :class:`torch_geometric.transforms.Compose`, or :obj:`None`.

    Raises:
        ValueError: If one of them is random or from elsewhere.
    """
    steps = steps_of(transform)
    for step in steps:
        if type(step) not in STEPS.values():
            raise ValueError(
                f"Expected 'transform' to consist of {', '.join(STEPS)}, which "
                f"can be repeated on raw windows and undone in predictions, "
                f"got {step}; leave it out if it only augments or shortens "
                f"the training data"
            )
    return steps  # type: ignore[return-value]


def _raw_skeleton(
    steps: list[Step], model: Network, skeleton: Skeleton | None
) -> Skeleton:
    num_duals = sum(isinstance(step, ToBones) for step in steps)
    if skeleton is None:
        if num_duals:
            raise ValueError(
                "The joints cannot be derived from a network of bones: pass "
                "PoseModel(model, transform, skeleton=...) with the skeleton "
                "of the data"
            )
        return model.skeleton
    bones = skeleton
    for _ in range(num_duals):
        bones = bones.dual()
    if not model.fits(bones):
        raise ValueError(
            f"Expected a 'skeleton' that the transforms turn into "
            f"{model.skeleton!r}, the skeleton of the network, got "
            f"{skeleton!r}"
        )
    return skeleton


def _check_fits(step: Step, skeleton: Skeleton, num_channels: int) -> None:
    shape = (skeleton.num_joints, num_channels)
    if isinstance(step, Standardize) and step.mean.shape != shape:
        raise ValueError(
            f"Expected a 'transform' for {shape[0]} joints and {shape[1]} "
            f"channels, got {step!r}"
        )
    if isinstance(step, Center) and step.joint is not None:
        skeleton.index(step.joint)
    if isinstance(step, NormalizeView):
        for joint in (*step.spine, *step.shoulders):
            skeleton.index(joint)
        if num_channels != 3:
            raise ValueError(
                f"{step} requires poses with three channels, but the network "
                f"takes {num_channels}"
            )
