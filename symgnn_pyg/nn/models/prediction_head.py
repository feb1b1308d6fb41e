from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module
from torch_geometric.nn import MLP
from torch_geometric.nn.inits import reset

from symgnn_pyg import ops
from symgnn_pyg.errors import check_choices, check_sizes
from symgnn_pyg.nn.conv import JointGraphConv
from symgnn_pyg.nn.models.direct_decoder import DirectDecoder
from symgnn_pyg.nn.models.linear_forecast import LinearForecast
from symgnn_pyg.nn.models.prediction_step import PredictionStep, check_orders
from symgnn_pyg.skeleton import Skeleton, as_skeleton

DECODERS = ("recursive", "direct", "both")


class PredictionHead(Module):
    r"""The motion-prediction head of the `"Symbiotic Graph Neural Networks
    for 3D Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper, equation (10). Starting from
    :math:`\mathbf{h}^{(0)} = f_{\textrm{pred}}(\mathbf{H})`, it predicts one
    frame at a time and feeds each prediction back:

    .. math::
        \mathbf{h}^{\prime} &= \textrm{JGC}(\mathbf{h}^{(t)}) \\
        \mathbf{h}^{(t+1)} &= \textrm{GRU}([\mathbf{x}_t, \,
        \mathcal{D}^1 \mathbf{x}_t, \, \mathcal{D}^2 \mathbf{x}_t, \,
        \hat{\mathbf{y}}], \, \mathbf{h}^{\prime}) \\
        \hat{\mathbf{x}}_{t+1} &= \mathbf{x}_t +
        f_{\textrm{out}}(\mathbf{h}^{(t+1)})

    where :math:`\hat{\mathbf{y}}` are the class probabilities of the
    recognition head. The last layer of :math:`f_{\textrm{out}}` is initialised
    to zero, so an untrained head predicts zero velocity. Other weights are
    scaled so that features do not drown out small motions: the last layer of
    :math:`f_{\textrm{pred}}` by 0.1, the weights of JGC by :math:`1 / K`, and
    those of differences of order :math:`b` by :math:`10 b`.
    :obj:`head.step.compile()` compiles a single frame, which saves time if
    function calls dominate, as for a single sequence.

    Args:
        in_channels: Size of each joint's features :math:`D`, or :obj:`-1` to
            infer it from the first batch.
        pose_channels: Size of a joint's pose :math:`C`.
        skeleton: The skeleton.
        num_future: The number of frames to predict :math:`T'`.
        num_classes: The number of actions, or 0 for a head without class
            probabilities. (default: :obj:`0`)
        orders: The orders of the differences that the GRU takes.
            (default: :obj:`(0, 1, 2)`)
        hidden_channels: The width of GRU and MLPs. (default: :obj:`256`)
        num_hops: The number of hops :math:`L`. (default: :obj:`3`)
        lambda_: The weight of the actional graph. (default: :obj:`0.5`)
        use_structural: Whether JGC has structural graphs.
            (default: :obj:`True`)
        use_actional: Whether JGC has actional graphs. If it has neither,
            :math:`\mathbf{h}^{\prime} = \mathbf{h}`. (default: :obj:`True`)
        decoder: How frames are predicted: :obj:`"recursive"` is equation (10),
            :obj:`"direct"` predicts all frames at once
            (:class:`~symgnn_pyg.nn.DirectDecoder`), and :obj:`"both"` adds the
            offsets of the latter to the frames of the former.
            (default: :obj:`"recursive"`)
        forecast: If set to :obj:`True`, a linear filter of the recent frames
            of each joint (:class:`~symgnn_pyg.nn.LinearForecast`) is added to
            the predicted frames. (default: :obj:`False`)
        num_recent: The number of last observed frames that the direct decoder
            and the forecast see. (default: :obj:`20`)

    Raises:
        ValueError: If :obj:`decoder` is unknown, or :obj:`orders`,
            :obj:`num_future` or :obj:`num_recent` is out of range.

    Shapes:
        - **input:** observed sequences :math:`[N \cdot V, T, C]`,
          joint features :math:`[N \cdot V, D]`,
          actional graphs :math:`[N, V, V]`,
          class probabilities :math:`[N, K]`
        - **output:** predicted poses :math:`[N \cdot V, T', C]`
    """

    def __init__(
        self,
        in_channels: int,
        pose_channels: int,
        skeleton: Skeleton | str,
        *,
        num_future: int,
        num_classes: int = 0,
        orders: Sequence[int] = (0, 1, 2),
        hidden_channels: int = 256,
        num_hops: int = 3,
        lambda_: float = 0.5,
        use_structural: bool = True,
        use_actional: bool = True,
        decoder: str = "recursive",
        forecast: bool = False,
        num_recent: int = 20,
    ) -> None:
        super().__init__()
        skeleton = as_skeleton(skeleton)
        check_choices(DECODERS, decoder=decoder)
        check_sizes(1, num_future=num_future)
        check_orders(orders)
        self.num_joints = skeleton.num_joints
        self.num_classes = num_classes
        self.num_future = num_future
        graphs: dict[str, Any] = {
            "num_hops": num_hops,
            "lambda_": lambda_,
            "use_structural": use_structural,
            "use_actional": use_actional,
        }
        self.fuse: MLP | None = None
        self.step: PredictionStep | None = None
        if decoder != "direct":
            self.fuse = MLP(
                [in_channels, hidden_channels, hidden_channels], norm=None
            )
            graph_conv = None
            if use_structural or use_actional:
                graph_conv = JointGraphConv(
                    hidden_channels, hidden_channels, skeleton, **graphs
                )
            self.step = PredictionStep(
                graph_conv, orders, pose_channels, num_classes, hidden_channels
            )
        self.direct: DirectDecoder | None = None
        if decoder != "recursive":
            self.direct = DirectDecoder(
                in_channels,
                pose_channels,
                skeleton,
                num_recent=num_recent,
                num_future=num_future,
                num_classes=num_classes,
                hidden_channels=hidden_channels,
                **graphs,
            )
        self.forecast: LinearForecast | None = None
        if forecast:
            self.forecast = LinearForecast(
                pose_channels,
                skeleton,
                num_recent=num_recent,
                num_future=num_future,
            )
        self._soften()

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        for module in self.children():
            reset(module)
        self._soften()

    def forward(
        self,
        x: Tensor,
        h: Tensor,
        actional: Tensor | None = None,
        probabilities: Tensor | None = None,
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[N \cdot V, T, C]`.
            h: Joint features, of shape :math:`[N \cdot V, D]`.
            actional: The actional graphs, of shape :math:`[N, V, V]`.
            probabilities: The class probabilities, of shape :math:`[N, K]`.

        Raises:
            ValueError: If :obj:`probabilities` are missing for a head with
                classes, or given to a head without classes.
        """
        if (probabilities is None) != (self.num_classes == 0):
            raise ValueError(
                f"'probabilities' must be "
                f"{'given' if self.num_classes else 'None'} for a head with "
                f"{self.num_classes} classes"
            )
        if self.step is None:
            future = x[:, -1:].expand(-1, self.num_future, -1)
        else:
            future = self._step_by_step(x, h, actional, probabilities)
        if self.direct is not None:
            future = future + self.direct(x, h, actional, probabilities)
        if self.forecast is not None:
            future = future + self.forecast(x)
        return future

    def _step_by_step(
        self,
        x: Tensor,
        h: Tensor,
        actional: Tensor | None,
        probabilities: Tensor | None,
    ) -> Tensor:
        step, label = self.step, None
        assert step is not None
        assert self.fuse is not None
        if probabilities is not None:
            label = probabilities.repeat_interleave(self.num_joints, dim=0)
        # Only the last frames matter for the differences of the current one.
        highest = max(step.orders)
        recent = x[:, -(highest + 1) :]
        state = [ops.difference(recent, b)[:, -1] for b in range(highest + 1)]
        h = self.fuse(h)
        poses = []
        for _ in range(self.num_future):
            seen = torch.cat([state[order] for order in step.orders], dim=-1)
            h, displacement = step(h, seen, label, actional)
            following = [state[0] + displacement, displacement]
            for previous in state[1:-1]:
                following.append(following[-1] - previous)
            state = following[: highest + 1]
            poses.append(state[0])
        return torch.stack(poses, dim=1)

    @torch.no_grad()
    def _soften(self) -> None:
        if self.step is None or self.fuse is None:
            return
        # So that features do not drown out the current motion.
        self.fuse.lins[-1].weight.mul_(0.1)
        if self.step.graph_conv is not None:
            weight = self.step.graph_conv.weight
            weight.div_(weight.size(0))
