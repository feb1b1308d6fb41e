import torch
from torch import Tensor
from torch_geometric.data import Batch, Data
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.data.skeleton_data import bone_features
from symgnn_pyg.errors import check_fractions
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.bodies import bodies_of
from symgnn_pyg.transforms.motion_transform import MotionTransform


@functional_transform("joint_dropout")
class JointDropout(MotionTransform):
    r"""Drops each joint of each body with probability :math:`p` in all
    observed frames, as if it were occluded (functional name:
    :obj:`joint_dropout`). The features of dropped joints become 0, and
    :obj:`mask` :math:`[B \cdot V, T]` becomes :obj:`False`, in addition to the
    values of an existing mask. Future frames do not change.

    Dropped joints end up at the origin, and :obj:`bone_x` is computed from
    there. Apply this transform after those that move positions, and use the
    mask to tell dropped joints from joints at the origin.

    Args:
        p: The probability :math:`p`.

    Raises:
        ValueError: If :obj:`p` does not lie between 0 and 1.
    """

    def __init__(self, p: float) -> None:
        check_fractions(p=p)
        self.p = p

    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        lost = self._draw(sample, skeleton)
        return motion.masked_fill(lost[:, :, None, None], 0.0)

    def forward(self, data: Data) -> Data:
        skeleton, sample = bodies_of(data)
        seen = ~self._draw(sample, skeleton).view(-1, 1)
        seen = seen.expand(data.x.shape[:2]).contiguous()  # [B*V, T]
        data.x = data.x.masked_fill(~seen.unsqueeze(-1), 0.0)
        if "bone_x" in data:
            data.bone_x = bone_features(data.x, skeleton)
        data.mask = seen & data.mask if "mask" in data else seen
        if isinstance(data, Batch) and hasattr(data, "_slice_dict"):
            # Batch.to_data_list() returns only attributes with slices.
            rows = data._slice_dict["x"]
            zeros = torch.zeros_like(rows[:-1])
            data._slice_dict = {**data._slice_dict, "mask": rows}
            data._inc_dict = {**data._inc_dict, "mask": zeros}
        return data

    def _draw(self, sample: Tensor, skeleton: Skeleton) -> Tensor:
        r"""Whether each joint is dropped, of shape :math:`[M, V]`."""
        shape = sample.numel(), skeleton.num_joints
        return torch.rand(shape, device=sample.device) < self.p
