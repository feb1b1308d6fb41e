from abc import abstractmethod
from typing import Any

from torch import Tensor

from symgnn_pyg.errors import check_sizes
from symgnn_pyg.nn import SymGNNOutput
from symgnn_pyg.nn.batch import check_tensor, samples
from symgnn_pyg.nn.models.pretrained import Pretrained
from symgnn_pyg.skeleton import Skeleton, as_skeleton


class Baseline(Pretrained):
    r"""The base class of the baselines. A baseline is called like
    :class:`~symgnn_pyg.nn.SymGNN` and returns a
    :class:`~symgnn_pyg.nn.SymGNNOutput`, in which the fields that it does not
    compute are :obj:`None`. It is saved and loaded like it, too.

    Args:
        skeleton: The skeleton, of :math:`V` joints.
        in_channels: Size of a joint's pose :math:`C`.
        min_frames: The smallest number of observed frames.
            (default: :obj:`1`)

    Shapes:
        - **input:** observed sequences :math:`[M \cdot V, T, C]` of the
          :math:`M` bodies of :math:`N` samples
        - **output:** a :class:`~symgnn_pyg.nn.SymGNNOutput` with class scores
          :math:`[N, K]` or poses :math:`[M \cdot V, T', C]`
    """

    num_classes = 0
    num_future = 0

    def __init__(
        self, skeleton: Skeleton | str, in_channels: int, min_frames: int = 1
    ) -> None:
        super().__init__()
        check_sizes(1, in_channels=in_channels)
        self.about = {}
        self.skeleton = as_skeleton(skeleton)
        self.in_channels = in_channels
        self.min_frames = min_frames

    @abstractmethod
    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[M \cdot V, T, C]`.
            num_bodies: The number of bodies per sample, of shape
                :math:`[N]`, which are recognised together; each is predicted
                separately. (default: one)

        Raises:
            ValueError: If shapes do not fit.
        """

    @classmethod
    def _changed_config(
        cls, config: dict[str, Any], changes: dict[str, Any]
    ) -> dict[str, Any]:
        if "skeleton" in changes:
            raise ValueError(
                f"The weights of {cls.__name__} belong to the joints of its "
                f"skeleton; build a new one for {changes['skeleton']!r}"
            )
        return super()._changed_config(config, changes)

    def samples(self, x: Tensor) -> Tensor:
        r"""Views the observed sequences as :math:`[M, V, T, C]`."""
        check_tensor(x)
        num_joints = self.skeleton.num_joints
        if (
            x.dim() != 3
            or x.size(1) < self.min_frames
            or x.size(2) != self.in_channels
        ):
            raise ValueError(
                f"Expected 'x' of shape [M * {num_joints}, T, "
                f"{self.in_channels}] with T >= {self.min_frames} frames, got "
                f"{list(x.shape)}"
            )
        return samples(x, num_joints, "joints")
