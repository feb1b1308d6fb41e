import torch
from torch import Tensor
from torch_geometric.data import Batch
from torch_geometric.utils import cumsum

from symgnn_pyg.data.skeleton_data import SkeletonData
from symgnn_pyg.skeleton import Skeleton


def batch_of_bodies(
    x: Tensor,
    future: Tensor,
    y: Tensor,
    *,
    skeleton: Skeleton,
    num_bodies: Tensor,
) -> Batch:
    r"""The batch that :meth:`Batch.from_data_list` makes of samples of one
    skeleton, from tensors that are joined already.

    Args:
        x: The observed frames, of shape :math:`[M \cdot V, T, C]`, where
            :math:`M` is the number of bodies of all samples.
        future: The frames to predict, of shape :math:`[M \cdot V, T', C]`.
        y: The labels, of shape :math:`[N]` or :math:`[N, K]`.
        skeleton: The skeleton.
        num_bodies: The number of bodies of each sample, of shape :math:`[N]`.
    """
    # A batch joins bodies in the same way as a sample of several bodies.
    total = x.size(0) // skeleton.num_joints
    whole = SkeletonData(
        x, future=future, y=y, skeleton=skeleton, num_bodies=total
    )
    batch = Batch(_base_cls=SkeletonData)
    bodies = cumsum(num_bodies)
    num_samples = y.size(0)
    samples = torch.arange(num_samples + 1)
    slices: dict[str, Tensor] = {}
    incs: dict[str, Tensor | None] = {}
    for key, value in whole.to_dict().items():
        slices[key] = samples
        incs[key] = torch.zeros(num_samples, dtype=torch.long)
        if key == "skeleton":
            value, incs[key] = [skeleton] * num_samples, None
        elif key == "num_bodies":
            value = num_bodies
        elif key != "y":
            dim = whole.__cat_dim__(key, value)
            slices[key] = bodies * (value.size(dim) // total)
            step = int(whole.__inc__(key, value)) // total
            incs[key] = bodies[:-1] * step
        batch[key] = value
    rows = num_bodies * skeleton.num_joints
    batch.batch = samples[:-1].repeat_interleave(rows)
    batch.ptr = cumsum(rows)
    batch._num_graphs = num_samples
    batch._slice_dict = slices
    batch._inc_dict = incs
    return batch
