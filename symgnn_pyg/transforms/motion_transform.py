import inspect
from abc import abstractmethod

from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.transforms import BaseTransform

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.bodies import bodies_of, join_frames, split_frames


class MotionTransform(BaseTransform):
    r"""The base class of transforms that change the motion but not the graph.
    Observed and future frames change in the same way, and :obj:`bone_x`, if
    present, is updated.

    A transform takes a :class:`~symgnn_pyg.data.SkeletonData` or a whole
    :class:`torch_geometric.data.Batch` of one skeleton. Random numbers come
    from the global generator of :mod:`torch`, and all bodies in a sample share
    them unless the class says otherwise.

    Raises:
        TypeError: If :obj:`x` does not hold floating-point numbers.
        ValueError: If the data has no skeleton, a batch has more than one, or
            :obj:`x` does not fit it.
    """

    @abstractmethod
    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        r"""Returns the new motion.

        Args:
            motion: The observed and future frames of :math:`M` bodies, of
                shape :math:`[M, V, T + T', C]`.
            skeleton: The skeleton of the bodies.
            sample: The sorted index of the sample of each body, of shape
                :math:`[M]`.
        """

    def restore(
        self,
        future: Tensor,
        observed: Tensor,
        skeleton: Skeleton,
        sample: Tensor,
    ) -> Tensor:
        r"""Converts predicted frames back to what they were before the
        transform. Deterministic transforms implement this.

        Args:
            future: The predicted frames, of shape :math:`[M, V, T', C]`.
            observed: The observed frames before the transform, of shape
                :math:`[M, V, T, C]`.
            skeleton: The skeleton of the bodies before the transform.
            sample: The sorted index of the sample of each body, of shape
                :math:`[M]`.

        Raises:
            NotImplementedError: If the transform is random.
        """
        raise NotImplementedError(f"{self} cannot be undone")

    def forward(self, data: Data) -> Data:
        r"""Applies the transform.

        Args:
            data: The sample or the batch.
        """
        skeleton, sample = bodies_of(data)
        motion = join_frames(data, skeleton)
        motion = self.transform(motion, skeleton, sample)
        return split_frames(data, motion, data.x.size(1), skeleton)

    def __repr__(self) -> str:
        arguments = ", ".join(
            f"{name}={getattr(self, name)!r}"
            for name in inspect.signature(type(self)).parameters
            if hasattr(self, name)
        )
        return f"{self.__class__.__name__}({arguments})"
