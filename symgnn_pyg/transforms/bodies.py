r"""The bodies in a data object: out of it, into it, and told apart."""

import torch
from torch import Tensor
from torch_geometric.data import Data

from symgnn_pyg.data.skeleton_data import bone_features
from symgnn_pyg.skeleton import Skeleton


def bodies_of(data: Data) -> tuple[Skeleton, Tensor]:
    r"""The skeleton that all :math:`M` bodies of a sample or a batch have,
    and the index of the sample that each belongs to, of shape :math:`[M]`.

    Args:
        data: A :class:`~symgnn_pyg.data.SkeletonData`, or a
            :class:`torch_geometric.data.Batch` of them.

    Raises:
        ValueError: If there is no skeleton or more than one, or if
            :obj:`data.x` does not fit it.
    """
    if "skeleton" not in data:
        raise ValueError(
            f"{data} has no 'skeleton'; make it by SkeletonData(x, "
            f"skeleton=...)"
        )
    skeleton = data.skeleton
    if isinstance(skeleton, list):
        skeleton, *others = data.skeleton
        other = next((other for other in others if other != skeleton), None)
        if other is not None:
            raise ValueError(
                f"The batch mixes skeletons ({skeleton!r} and {other!r}); "
                f"apply the transform per sample, before batching"
            )
    num_joints = skeleton.num_joints
    if "x" not in data or data.x.dim() != 3 or data.x.size(0) % num_joints:
        raise ValueError(
            f"Expected 'x' of shape [B * {num_joints}, T, C] for {skeleton!r}, "
            f"got {list(data.x.shape) if 'x' in data else None}"
        )
    if "batch" in data:
        return skeleton, data.batch[::num_joints].contiguous()
    num_bodies = data.x.size(0) // num_joints
    return skeleton, data.x.new_zeros(num_bodies, dtype=torch.long)


def first_bodies(sample: Tensor) -> Tensor:
    r"""For each body the index of the first body of its sample, of shape
    :math:`[M]`.

    Args:
        sample: The index of each body's sample, rising, of shape
            :math:`[M]`.
    """
    return torch.searchsorted(sample, sample)


def join_frames(data: Data, skeleton: Skeleton) -> Tensor:
    r"""The observed frames and, if there are any, the future ones after
    them, in memory of their own, of shape :math:`[M, V, T + T', C]`.
    """
    frames = [data[name] for name in ("x", "future") if name in data]
    motion = torch.cat(frames, dim=1)
    return motion.unflatten(0, (-1, skeleton.num_joints))


def split_frames(
    data: Data, motion: Tensor, num_observed: int, skeleton: Skeleton
) -> Data:
    r"""Puts a motion in the place of the one that :func:`join_frames` took:
    its first frames as :obj:`x`, the others as :obj:`future`, if there is
    one. :obj:`bone_x`, if there is one, is made anew.

    Args:
        data: The data object, which is changed and returned.
        motion: The motion, of shape :math:`[M, V, T + T', C]`.
        num_observed: The number of observed frames :math:`T`.
        skeleton: The skeleton.
    """
    data.x = motion[:, :, :num_observed].flatten(0, 1).contiguous()
    if "future" in data:
        data.future = motion[:, :, num_observed:].flatten(0, 1).contiguous()
    if "bone_x" in data:
        data.bone_x = bone_features(data.x, skeleton)
    return data
