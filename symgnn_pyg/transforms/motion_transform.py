from abc import abstractmethod

from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.transforms import BaseTransform

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.bodies import bodies_of, join_frames, split_frames


class MotionTransform(BaseTransform):
    r"""The base class of transforms that change the motion alone and leave
    the graph as it is. Observed and future frames get the same change, and
    :obj:`bone_x`, where present, becomes the difference of the new :obj:`x`.

    A transform takes a :class:`~symgnn_pyg.data.SkeletonData` or, at once, a
    whole :class:`torch_geometric.data.Batch` of one skeleton. What it draws
    at random comes from :mod:`torch`'s global generator; the bodies of a
    sample share it unless the class says otherwise.

    Raises:
        ValueError: If the data has no skeleton, a batch has more than one, or
            :obj:`x` does not fit it.
    """

    @abstractmethod
    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        r"""The new motion, of the shape of the old one.

        Args:
            motion: The motion of :math:`M` bodies, observed and future
                frames, of shape :math:`[M, V, T + T', C]`.
            skeleton: Their skeleton.
            sample: The index of the sample that each body belongs to, rising,
                of shape :math:`[M]`.
        """

    def forward(self, data: Data) -> Data:
        r"""Applies the transform.

        Args:
            data: The sample or the batch.
        """
        skeleton, sample = bodies_of(data)
        motion = join_frames(data, skeleton)
        motion = self.transform(motion, skeleton, sample)
        return split_frames(data, motion, data.x.size(1), skeleton)
