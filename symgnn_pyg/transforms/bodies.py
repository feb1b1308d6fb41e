r"""Access to the bodies in a sample or a batch."""

import torch
from torch import Tensor
from torch_geometric.data import Data

from symgnn_pyg.data.skeleton_data import bone_features
from symgnn_pyg.skeleton import Skeleton


def bodies_of(data: Data) -> tuple[Skeleton, Tensor]:
    r"""The skeleton of all :math:`M` bodies in a sample or a batch, and the
    index of the sample that each body belongs to, of shape :math:`[M]`.
    """
    if "skeleton" not in data:
        raise ValueError(
            f"Expected data with a 'skeleton', got {data}; create it with "
            f"SkeletonData(x, skeleton=...)"
        )
    skeleton = data.skeleton
    if isinstance(skeleton, list):
        skeleton, *others = data.skeleton
        other = next((other for other in others if other != skeleton), None)
        if other is not None:
            raise ValueError(
                f"Expected a batch of one skeleton, got {skeleton!r} and "
                f"{other!r}; apply the transform to samples before batching"
            )
    num_joints = skeleton.num_joints
    if "x" not in data or data.x.dim() != 3 or data.x.size(0) % num_joints:
        raise ValueError(
            f"Expected 'x' of shape [B * {num_joints}, T, C] for {skeleton!r}, "
            f"got {list(data.x.shape) if 'x' in data else None}"
        )
    if not data.x.is_floating_point():
        raise TypeError(
            f"Expected 'x' of floating-point numbers, got {data.x.dtype}; "
            f"convert it with x.float()"
        )
    if "batch" in data:
        return skeleton, data.batch[::num_joints].contiguous()
    num_bodies = data.x.size(0) // num_joints
    return skeleton, data.x.new_zeros(num_bodies, dtype=torch.long)


def first_bodies(sample: Tensor) -> Tensor:
    r"""The index of the first body in the sample of each body, of shape
    :math:`[M]`.
    """
    # Not searchsorted, which cannot be exported to ONNX.
    count = torch.zeros_like(sample)
    count = count.scatter_add(0, sample, torch.ones_like(sample))
    return (count.cumsum(0) - count)[sample]


def draw_uniform(sample: Tensor, low: float, high: float, *size: int) -> Tensor:
    r"""Draws uniform random numbers from :obj:`low` to :obj:`high` for each
    sample, which its bodies share, of shape :math:`[M, *]` in double
    precision.
    """
    drawn = torch.rand(
        int(sample[-1]) + 1, *size, dtype=torch.double, device=sample.device
    )
    return (low + (high - low) * drawn)[sample]


def join_frames(data: Data, skeleton: Skeleton) -> Tensor:
    r"""Concatenates the observed frames and any future frames to a new tensor
    of shape :math:`[M, V, T + T', C]`.
    """
    frames = [data[name] for name in ("x", "future") if name in data]
    motion = torch.cat(frames, dim=1)
    return motion.unflatten(0, (-1, skeleton.num_joints))


def split_frames(
    data: Data, motion: Tensor, num_observed: int, skeleton: Skeleton
) -> Data:
    r"""The inverse of :func:`join_frames`: sets :obj:`x` to the first frames
    of a motion and, if present, :obj:`future` to the others. Updates
    :obj:`bone_x` if present. The data object is modified.
    """
    data.x = motion[:, :, :num_observed].flatten(0, 1).contiguous()
    if "future" in data:
        data.future = motion[:, :, num_observed:].flatten(0, 1).contiguous()
    if "bone_x" in data:
        data.bone_x = bone_features(data.x, skeleton)
    return data
