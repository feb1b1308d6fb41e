from torch import Tensor
from torch.nn import Module

from symgnn_pyg.data import bone_features
from symgnn_pyg.nn import DualSymGNN, SymGNN
from symgnn_pyg.transforms import Standardize


class PoseModel(Module):
    r"""A network that takes and returns poses in the unit of the data.

    Args:
        model: The network, a :class:`~symgnn_pyg.nn.SymGNN` or
            :class:`~symgnn_pyg.nn.DualSymGNN`.
        transform: The transform that standardised the training data.
            (default: :obj:`None`)

    Raises:
        ValueError: If :obj:`transform` does not fit the network.

    Shapes:
        - **input:** windows :math:`[N, V, T, C]` of :math:`N` bodies
        - **output:** class scores before the softmax :math:`[N, K]` and future
          poses :math:`[N, V, T', C]`, or :obj:`None` if the network has no
          such head
    """

    def __init__(
        self,
        model: SymGNN | DualSymGNN,
        transform: Standardize | None = None,
    ) -> None:
        super().__init__()
        joint = model.joint if isinstance(model, DualSymGNN) else model
        self.skeleton = joint.skeleton
        self.num_observed = joint.num_observed
        self.pose_shape = (self.skeleton.num_joints, joint.in_channels)
        if transform is not None and transform.mean.shape != self.pose_shape:
            raise ValueError(
                f"Expected a 'transform' for the {self.pose_shape[0]} joints "
                f"and {self.pose_shape[1]} channels of the network, got "
                f"{transform!r}"
            )
        self.model = model
        self.transform = transform

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> tuple[Tensor | None, Tensor | None]:
        r"""Runs the forward pass.

        Args:
            x: The windows, of shape :math:`[N, V, T, C]`.
            num_bodies: The number of bodies in each sample, which are
                recognised together. (default: one body per sample)
        """
        if self.transform is not None:
            sample = x.new_zeros(x.size(0)).long()
            x = self.transform.transform(x, self.skeleton, sample)
        rows = x.flatten(0, 1)
        if isinstance(self.model, DualSymGNN):
            bone_x = bone_features(rows, self.skeleton)
            logits, future = self.model(rows, bone_x, num_bodies)[:2]
        else:
            logits, future = self.model(rows, num_bodies)[:2]
        if future is not None:
            if self.transform is not None:
                future = self.transform.inverse(future)
            future = future.unflatten(0, x.shape[:2])
        return logits, future
