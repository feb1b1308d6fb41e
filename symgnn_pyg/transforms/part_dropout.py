import torch
from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.joint_dropout import JointDropout


@functional_transform("part_dropout")
class PartDropout(JointDropout):
    r"""Drops each part of each body, such as an arm, with probability
    :math:`p` in all observed frames (functional name: :obj:`part_dropout`).
    All joints of the part are dropped as :class:`JointDropout` drops them.

    Args:
        p: The probability :math:`p`.

    Raises:
        ValueError: If :obj:`p` does not lie between 0 and 1.
    """

    def _draw(self, sample: Tensor, skeleton: Skeleton) -> Tensor:
        shape = sample.numel(), skeleton.num_parts
        lost = torch.rand(shape, device=sample.device) < self.p
        return lost[:, skeleton.joint_to_part]
