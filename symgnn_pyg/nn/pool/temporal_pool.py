import torch
from torch import Tensor
from torch.nn import Module, Parameter


class TemporalPool(Module):
    r"""A learned mean over time, with a weight for each frame and channel:

    .. math::
        \mathbf{y} = \sum_{t=1}^{T} \mathbf{w}_t \odot \mathbf{x}_t, \qquad
        \mathbf{w}_t = \frac{\exp \boldsymbol{\theta}_t}{\sum_{t'}
        \exp \boldsymbol{\theta}_{t'}}

    where :math:`\boldsymbol{\theta} = 0` at the start, which makes it the
    plain mean of the `"Symbiotic Graph Neural Networks for 3D Skeleton-based
    Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper (section 5.1.2). Prediction
    cares most about the last frames, recognition about all of them.

    Args:
        num_frames: The number of frames :math:`T`.
        channels: Size of each input sample :math:`C`.

    Shapes:
        - **input:** node features :math:`[M, T, C]`
        - **output:** node features :math:`[M, C]`
    """

    def __init__(self, num_frames: int, channels: int) -> None:
        super().__init__()
        self.logits = Parameter(torch.empty(num_frames, channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Makes all frames equal."""
        torch.nn.init.zeros_(self.logits)

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Node features, of shape :math:`[M, T, C]`.

        Raises:
            ValueError: If :obj:`x` has another number of frames or channels.
        """
        if x.dim() != 3 or x.shape[1:] != self.logits.shape:
            num_frames, channels = self.logits.shape
            raise ValueError(
                f"Expected 'x' of shape [M, {num_frames}, {channels}], got "
                f"{list(x.shape)}"
            )
        return (x * self.logits.softmax(dim=0).to(x.dtype)).sum(dim=1)

    def extra_repr(self) -> str:
        return f"{self.logits.size(0)}, {self.logits.size(1)}"
