from typing import get_args

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.errors import check_choices, check_fractions
from symgnn_pyg.skeleton import Skeleton, mirrored_joints
from symgnn_pyg.transforms.bodies import (
    bodies_of,
    draw_uniform,
    join_frames,
    split_frames,
)
from symgnn_pyg.transforms.checks import check_space
from symgnn_pyg.transforms.motion_transform import MotionTransform
from symgnn_pyg.typing import Kind


@functional_transform("mirror")
class Mirror(MotionTransform):
    r"""Swaps left and right in a sample with probability :math:`p` (functional
    name: :obj:`mirror`). Each joint takes the motion of its counterpart
    :math:`m(i)` on the other side of the body (see the :obj:`pairs` of
    :class:`~symgnn_pyg.Skeleton`), reflected along an axis:

    .. math::
        \mathbf{x}'_{i,t} = \mathbf{S} \, \mathbf{x}_{m(i),t}
        \quad \textrm{(positions)}, \qquad
        \mathbf{x}'_{i,t} = -\mathbf{S} \, \mathbf{x}_{m(i),t}
        \quad \textrm{(rotations)}

    where :math:`\mathbf{S}` negates the axis. Rotation vectors (exponential
    maps) are axial: a reflection preserves rotations about the axis and
    reverses those about the other two. This requires that the local axes of
    counterparts are reflections of each other, as in CMU Mocap. A :obj:`mask`
    of seen joints is swapped too. Apply
    :class:`~symgnn_pyg.transforms.Standardize` afterwards, since its
    statistics differ between the sides.

    Args:
        axis: The index of the axis from one side of the body to the other.
            It is x for bodies that face the camera in NTU-RGB+D and Kinetics,
            and for all bodies in CMU Mocap. (default: :obj:`0`)
        p: The probability :math:`p`. (default: :obj:`0.5`)
        kind: What the motion holds: :obj:`"position"` or :obj:`"rotation"`.
            (default: :obj:`"position"`)

    Raises:
        ValueError: If an argument is invalid, the motion has no such axis, the
            skeleton has no pairs of left and right joints, or the counterpart
            of a joint is missing.
    """

    def __init__(
        self, axis: int = 0, p: float = 0.5, kind: Kind = "position"
    ) -> None:
        if axis < 0:
            raise ValueError(f"'axis' must not be negative, got {axis}")
        check_choices(get_args(Kind), kind=kind)
        self.axis = axis
        check_fractions(p=p)
        self.p = p
        self.kind = kind

    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        return self._mirror(motion, skeleton, self._chosen(sample))

    def forward(self, data: Data) -> Data:
        skeleton, sample = bodies_of(data)
        motion = join_frames(data, skeleton)
        chosen = self._chosen(sample)
        if "mask" in data:
            mask = data.mask.unflatten(0, (-1, skeleton.num_joints))
            data.mask = _swap(mask, skeleton, chosen).flatten(0, 1)
        motion = self._mirror(motion, skeleton, chosen)
        return split_frames(data, motion, data.x.size(1), skeleton)

    def _chosen(self, sample: Tensor) -> Tensor:
        return draw_uniform(sample, 0.0, 1.0) < self.p

    def _mirror(
        self, motion: Tensor, skeleton: Skeleton, chosen: Tensor
    ) -> Tensor:
        if self.axis >= motion.size(-1):
            raise ValueError(
                f"{self} requires a motion with more than {self.axis} "
                f"channels, got shape {list(motion.shape)}"
            )
        sign = motion.new_ones(motion.size(-1))
        sign[self.axis] = -1.0
        if self.kind == "rotation":
            check_space(motion, self)
            sign = -sign
        sign = torch.where(chosen[:, None], sign, 1.0)  # [M, C]
        return _swap(motion, skeleton, chosen) * sign[:, None, None]


def _swap(rows: Tensor, skeleton: Skeleton, chosen: Tensor) -> Tensor:
    if not skeleton.pairs:
        raise ValueError(
            f"Mirror found no left and right joints in {skeleton!r}: pass "
            f"their 'pairs' to Skeleton, such as pairs=[('arm 1', 'arm 2')]"
        )
    chosen = chosen.view(-1, *(1 for _ in rows.shape[1:]))
    return torch.where(chosen, rows[:, mirrored_joints(skeleton)], rows)
