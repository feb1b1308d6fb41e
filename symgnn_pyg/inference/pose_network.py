from collections.abc import Callable
from typing import Any, get_args

import torch
from torch import Tensor
from torch.nn import Module

from symgnn_pyg.data import bone_features
from symgnn_pyg.errors import check_sizes
from symgnn_pyg.inference.deterministic_steps import Step, deterministic_steps
from symgnn_pyg.inference.ensemble import Ensemble
from symgnn_pyg.inference.mirror_average import MirrorAverage
from symgnn_pyg.nn import DualSymGNN, SymGNN
from symgnn_pyg.nn.baselines import (
    AGCN,
    ASGCN,
    CTRGCN,
    HCN,
    LTD,
    STGCN,
    ResidualGRU,
)
from symgnn_pyg.nn.batch import sample_of_body
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms import (
    Center,
    NormalizeView,
    Resample,
    Standardize,
    TemporalTransform,
    ToBones,
    UniformSample,
)

Network = (
    SymGNN
    | DualSymGNN
    | Ensemble
    | MirrorAverage
    | AGCN
    | ASGCN
    | CTRGCN
    | HCN
    | LTD
    | ResidualGRU
    | STGCN
)
NETWORKS: dict[str, type[Network]] = {
    kind.__name__: kind for kind in get_args(Network)
}


class PoseNetwork(Module):
    r"""A network on tensors of raw windows: it applies the transforms that the
    network was trained with, and undoes them in the predicted poses.

    Args:
        model: The network.
        transform: The transforms; see :class:`PoseModel`.
        skeleton: The skeleton of raw windows; see :class:`PoseModel`.
        num_observed: The number of frames of a raw window; see
            :class:`PoseModel`.

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
        *,
        num_observed: int | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.steps = deterministic_steps(transform)
        joint = model.joint if isinstance(model, DualSymGNN) else model
        self.num_channels = joint.in_channels
        self.num_classes = joint.num_classes
        if skeleton is None and any(
            isinstance(step, ToBones) for step in self.steps
        ):
            raise ValueError(
                "The joints cannot be derived from a network of bones: pass "
                "PoseModel(model, transform, skeleton=...) with the skeleton "
                "of the data"
            )
        self.skeleton = model.skeleton if skeleton is None else skeleton
        self.pose_shape = (self.skeleton.num_joints, self.num_channels)
        # The skeleton before each step, and that of the network.
        at = self.skeleton
        self.skeletons = [at]
        for step in self.steps:
            at = at.dual() if isinstance(step, ToBones) else at
            self.skeletons.append(at)
        if not model.fits(at):
            raise ValueError(
                f"Expected a 'skeleton' that the transforms turn into "
                f"{model.skeleton!r}, the skeleton of the network, got "
                f"{skeleton!r}"
            )
        for step, at in zip(self.steps, self.skeletons, strict=False):
            _check_fits(step, at, self.num_channels)
        self.num_observed = _num_observed(joint, self.steps, num_observed)
        self.num_future = _num_future(joint, self.steps, self.num_observed)

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
        undo = []
        for step, skeleton in zip(self.steps, self.skeletons, strict=False):
            undo.append((step, x, skeleton))
            x = step.transform(x, skeleton, sample)
        rows = [x.flatten(0, 1)]
        if isinstance(self.model, DualSymGNN):
            rows.append(bone_features(rows[0], self.skeletons[-1]))
        logits, future = self.model(*rows, num_bodies)[:2]
        if future is not None:
            future = future.unflatten(0, x.shape[:2])
            for step, observed, skeleton in reversed(undo):
                future = step.restore(future, observed, skeleton, sample)
        return logits, future


def _num_observed(
    model: Module, steps: list[Step], num_observed: int | None
) -> int:
    r"""The number of raw frames of which the steps make those that the
    network takes.
    """
    if num_observed is not None:
        check_sizes(1, num_observed=num_observed)
        return int(num_observed)
    known: int | None = getattr(model, "num_observed", None)
    if known is None or any(isinstance(s, UniformSample) for s in steps):
        what = steps if known else type(model).__name__
        raise ValueError(
            f"Expected 'num_observed', since {what} takes any number of "
            f"frames: pass PoseModel(model, transform, num_observed=...) with "
            f"the number of frames of a window"
        )
    for step in reversed(steps):
        if isinstance(step, Resample):
            known = step.num_required(known)
    return known


def _num_future(model: Any, steps: list[Step], num_observed: int) -> int:
    r"""The number of frames that follow a raw window, from those that the
    network predicts.
    """
    counts = [num_observed]
    for step in steps:
        count = counts[-1]
        if isinstance(step, TemporalTransform):
            count = step.num_observed(count)
        counts.append(count)
    taken = getattr(model, "num_observed", counts[-1])
    if counts[-1] != taken:
        made = f", of which {steps} make {counts[-1]}" if steps else ""
        raise ValueError(
            f"Expected 'num_observed' to give the {taken} frames that the "
            f"network takes, got {num_observed}{made}"
        )
    least = getattr(model, "min_frames", 1)
    if counts[-1] < least:
        raise ValueError(
            f"Expected 'num_observed' to give at least the {least} frames that "
            f"{type(model).__name__} takes, got {num_observed}"
        )
    num_future: int = model.num_future
    for step, count in zip(reversed(steps), counts[-2::-1], strict=True):
        if isinstance(step, UniformSample) and num_future:
            raise ValueError(
                f"{step} changes the speed of a motion, which a network that "
                f"predicts {num_future} frames must keep"
            )
        if isinstance(step, Resample) and num_future:
            num_future = step.num_restored(count, num_future)
    if model.num_future and not num_future:
        raise ValueError(
            f"The {model.num_future} predicted frames end before the next "
            f"frame of the data, whose rate {steps} changes"
        )
    return num_future


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
