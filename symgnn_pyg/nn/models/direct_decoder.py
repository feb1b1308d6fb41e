import torch
from torch import Tensor
from torch.nn import (
    LayerNorm,
    LazyLinear,
    Linear,
    Module,
    ModuleList,
    Parameter,
)
from torch.nn.init import zeros_
from torch_geometric.nn.inits import reset

from symgnn_pyg.errors import check_sizes
from symgnn_pyg.nn.conv import JointGraphConv
from symgnn_pyg.nn.models.linear_forecast import recent_frames
from symgnn_pyg.skeleton import Skeleton, as_skeleton


class DirectDecoder(Module):
    r"""Predicts all frames at once, instead of one after another as equation
    (10) of the `"Symbiotic Graph Neural Networks for 3D Skeleton-based Human
    Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper does:

    .. math::
        \mathbf{h}^{(0)} &= \mathbf{W}_h \mathbf{H} + \mathbf{W}_x
        [10 \, \mathcal{D}^1 \mathbf{x}_{T-k+2}, \ldots, 10 \, \mathcal{D}^1
        \mathbf{x}_T, \, \mathbf{x}_T] + \mathbf{W}_y \hat{\mathbf{y}} +
        \mathbf{b} \\
        \mathbf{h}^{(l+1)} &= \mathbf{h}^{(l)} + \textrm{JGC}(\textrm{ReLU}(
        \textrm{LayerNorm}(\mathbf{h}^{(l)}))) \\
        \hat{\mathbf{x}}_{T+t} - \mathbf{x}_T &= \mathbf{W}_t \,
        \textrm{ReLU}(\mathbf{h}^{(L)})

    with a bias :math:`\mathbf{b}` for each joint. The last layer starts at
    zero: no motion is predicted.

    Args:
        in_channels: Size of each joint's features :math:`D`, or :obj:`-1` to
            infer it from the first batch.
        pose_channels: Size of a joint's pose :math:`C`.
        skeleton: The skeleton.
        num_recent: The number of last observed frames that it sees :math:`k`,
            at least 1.
        num_future: The number of frames to predict :math:`T'`.
        num_classes: The number of actions, or 0 without class
            probabilities. (default: :obj:`0`)
        hidden_channels: The width. (default: :obj:`256`)
        num_layers: The number of graph convolutions :math:`L`.
            (default: :obj:`2`)
        num_hops: The number of hops of each. (default: :obj:`3`)
        lambda_: The weight of the actional graph. (default: :obj:`0.5`)
        use_structural: Whether JGC has structural graphs.
            (default: :obj:`True`)
        use_actional: Whether JGC has actional graphs. Without both there are
            no graph convolutions. (default: :obj:`True`)

    Raises:
        ValueError: If :obj:`num_recent` is less than 1.

    Shapes:
        - **input:** observed sequences :math:`[N \cdot V, T, C]` with
          :math:`T \ge k`, joint features :math:`[N \cdot V, D]`, actional
          graphs :math:`[N, V, V]`, class probabilities :math:`[N, K]`
        - **output:** offsets from the last pose :math:`[N \cdot V, T', C]`
    """

    def __init__(
        self,
        in_channels: int,
        pose_channels: int,
        skeleton: Skeleton | str,
        *,
        num_recent: int,
        num_future: int,
        num_classes: int = 0,
        hidden_channels: int = 256,
        num_layers: int = 2,
        num_hops: int = 3,
        lambda_: float = 0.5,
        use_structural: bool = True,
        use_actional: bool = True,
    ) -> None:
        super().__init__()
        check_sizes(1, num_recent=num_recent, num_future=num_future)
        skeleton = as_skeleton(skeleton)
        self.num_joints = skeleton.num_joints
        self.num_recent = num_recent
        self.pose_channels = pose_channels
        self.lin_features = (
            LazyLinear(hidden_channels, bias=False)
            if in_channels == -1
            else Linear(in_channels, hidden_channels, bias=False)
        )
        self.lin_recent = Linear(
            num_recent * pose_channels, hidden_channels, bias=False
        )
        self.lin_class = None
        if num_classes > 0:
            self.lin_class = Linear(num_classes, hidden_channels, bias=False)
        self.bias = Parameter(torch.empty(self.num_joints, hidden_channels))
        if not (use_structural or use_actional):
            num_layers = 0
        self.norms = ModuleList(
            LayerNorm(hidden_channels) for _ in range(num_layers)
        )
        self.convs = ModuleList(
            JointGraphConv(
                hidden_channels,
                hidden_channels,
                skeleton,
                num_hops=num_hops,
                lambda_=lambda_,
                use_structural=use_structural,
                use_actional=use_actional,
            )
            for _ in range(num_layers)
        )
        self.lin_out = Linear(hidden_channels, num_future * pose_channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Draws new weights."""
        for module in self.children():
            reset(module)
        zeros_(self.bias)
        zeros_(self.lin_out.weight)
        zeros_(self.lin_out.bias)

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
            ValueError: If :obj:`x` has fewer than :math:`k` frames.
        """
        recent = recent_frames(x, self.num_recent)
        # Differences from frame to frame are about a tenth of the poses.
        recent = torch.cat([10 * recent.diff(dim=1), recent[:, -1:]], dim=1)
        h = self.lin_features(h) + self.lin_recent(recent.flatten(1))
        if self.lin_class is None:
            samples = h.unflatten(0, (-1, self.num_joints))
            h = (samples + self.bias).flatten(0, 1)
        else:
            # Samples are counted by the probabilities: an exported program
            # would be bound to more than one if they were divided out of rows.
            offset = self.lin_class(probabilities).unsqueeze(1) + self.bias
            h = h + offset.flatten(0, 1)
        for norm, conv in zip(self.norms, self.convs, strict=True):
            h = h + conv(norm(h).relu(), actional)
        out: Tensor = self.lin_out(h.relu())
        return out.unflatten(1, (-1, self.pose_channels))
