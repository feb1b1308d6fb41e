from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import ModuleList
from torch_geometric.nn.inits import reset

from symgnn_pyg import ops
from symgnn_pyg.nn.models.actional_inference import ActionalGraphInference
from symgnn_pyg.nn.models.multi_scale_gcn import MultiScaleGCN
from symgnn_pyg.nn.models.prediction_head import PredictionHead
from symgnn_pyg.nn.models.prediction_step import check_orders
from symgnn_pyg.nn.models.pretrained import Pretrained
from symgnn_pyg.nn.models.recognition_head import RecognitionHead
from symgnn_pyg.nn.pool.rows import sample_of_body, samples
from symgnn_pyg.skeleton import Skeleton


class SymGNNOutput(NamedTuple):
    r"""What :class:`SymGNN` returns.

    Args:
        logits: Class scores before softmax :math:`[N, K]`, or :obj:`None`
            without recognition.
        future: Predicted poses :math:`[M \cdot V, T', C]`, or :obj:`None`
            without prediction.
        actional: The actional graphs :math:`[M, V, V]`, or :obj:`None`
            without them.
        shared: The representation that both heads share
            :math:`[M \cdot V, D]`.
    """

    logits: Tensor | None
    future: Tensor | None
    actional: Tensor | None
    shared: Tensor


class SymGNN(Pretrained):
    r"""The symbiotic graph neural network of the `"Symbiotic Graph Neural
    Networks for 3D Skeleton-based Human Action Recognition and Motion
    Prediction" <https://arxiv.org/abs/1910.02212>`_ paper: a backbone of one
    :class:`~symgnn_pyg.nn.MultiScaleGCN` for each order of difference, a
    recognition head and a prediction head that help each other.

    .. math::
        \mathbf{A}_{\textrm{act}} &= \textrm{AGIM}(\mathbf{X}) \\
        \mathbf{H} &= \big\Vert_b \, \textrm{GCN}_b(\mathcal{D}^b \mathbf{X},
        \mathbf{A}_{\textrm{act}}) \\
        \hat{\mathbf{y}} &= \textrm{softmax}(\textrm{recognise}(\mathbf{H})),
        \qquad \hat{\mathbf{X}}^{+} = \textrm{predict}(\mathbf{X},
        \mathbf{H}, \mathbf{A}_{\textrm{act}}, \hat{\mathbf{y}})

    :meth:`light` and :meth:`full` build the two networks of the paper.

    Args:
        skeleton: The skeleton.
        num_classes: The number of actions :math:`K`.
        observed: The number of observed frames :math:`T`.
            (default: :obj:`50`)
        future: The number of frames to predict :math:`T'`.
            (default: :obj:`25`)
        in_channels: Size of a joint's pose :math:`C`. (default: :obj:`3`)
        channels: The width of each block.
            (default: :obj:`(32, 64, 128, 256)`)
        strides: The temporal stride of each block.
            (default: :obj:`(1, 2, 2, 2)`)
        fusion: The blocks, counted from 0, after which the scales are fused.
            (default: :obj:`(1, 2, 3)`)
        num_hops: The number of hops :math:`L`. (default: :obj:`3`)
        lambda_: The weight :math:`\lambda` of the actional graph.
            (default: :obj:`0.5`)
        kernel_size: The temporal kernel :math:`\tau`, in frames, odd.
            (default: :obj:`5`)
        orders: The orders of difference, one branch each.
            (default: :obj:`(0, 1, 2)`)
        num_iterations: How often AGIM applies equation (1).
            (default: :obj:`2`)
        hidden_channels: The width of both heads. (default: :obj:`256`)
        dropout: The dropout probability. (default: :obj:`0.5`)
        structural: Whether there are structural graphs.
            (default: :obj:`True`)
        actional: Whether there are actional graphs. (default: :obj:`True`)
        part: Whether there is a part scale. (default: :obj:`True`)
        recognition: Whether there is a recognition head.
            (default: :obj:`True`)
        prediction: Whether there is a prediction head.
            (default: :obj:`True`)

    Raises:
        ValueError: If an argument is none of its values, or neither head is
            asked for.

    Shapes:
        - **input:** observed sequences :math:`[M \cdot V, T, C]` of the
          :math:`M` bodies of :math:`N` samples
        - **output:** a :class:`SymGNNOutput`
    """

    skeleton_id: Tensor

    def __init__(
        self,
        skeleton: Skeleton,
        num_classes: int,
        observed: int = 50,
        future: int = 25,
        in_channels: int = 3,
        channels: Sequence[int] = (32, 64, 128, 256),
        strides: Sequence[int] = (1, 2, 2, 2),
        fusion: Sequence[int] = (1, 2, 3),
        num_hops: int = 3,
        lambda_: float = 0.5,
        kernel_size: int = 5,
        orders: Sequence[int] = (0, 1, 2),
        num_iterations: int = 2,
        hidden_channels: int = 256,
        dropout: float = 0.5,
        structural: bool = True,
        actional: bool = True,
        part: bool = True,
        recognition: bool = True,
        prediction: bool = True,
    ) -> None:
        given = locals()
        super().__init__()
        self.arguments = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in given.items()
            if name not in ("self", "__class__")
        }
        self.about = {}
        if not (recognition or prediction):
            raise ValueError("'recognition' or 'prediction' is due")
        if not 0 <= dropout <= 1:
            raise ValueError(f"'dropout' must be 0 to 1, got {dropout}")
        for name, number in (
            ("num_classes", num_classes),
            ("observed", observed),
        ):
            if number < 1:
                raise ValueError(f"'{name}' must be at least 1, got {number}")
        check_orders(orders)
        self.skeleton = skeleton
        self.observed = observed
        self.in_channels = in_channels
        self.orders = tuple(orders)
        self.actional: ActionalGraphInference | None = None
        if actional:
            self.actional = ActionalGraphInference(
                in_channels * observed,
                skeleton,
                num_iterations=num_iterations,
                dropout=dropout,
            )
        branches = [
            MultiScaleGCN(
                skeleton,
                in_channels,
                channels,
                strides,
                fusion,
                num_hops,
                lambda_,
                kernel_size,
                dropout,
                structural,
                actional,
                part,
            )
            for _ in self.orders
        ]
        self.branches = ModuleList(branches)
        width = sum(branch.out_channels for branch in branches)
        self.recognition: RecognitionHead | None = None
        if recognition:
            self.recognition = RecognitionHead(
                width, num_classes, skeleton, hidden_channels, dropout
            )
        self.prediction: PredictionHead | None = None
        if prediction:
            self.prediction = PredictionHead(
                width,
                in_channels,
                skeleton,
                future,
                num_classes if recognition else 0,
                orders,
                hidden_channels,
                num_hops,
                lambda_,
                structural,
                actional,
            )
        # Saved with the weights, to refuse those of another skeleton.
        self.register_buffer("skeleton_id", torch.tensor(skeleton.fingerprint))
        self.register_load_state_dict_pre_hook(_check_skeleton)

    @classmethod
    def light(
        cls, skeleton: Skeleton, num_classes: int, **kwargs: Any
    ) -> "SymGNN":
        r"""The network for Human3.6M and CMU Mocap: four JGTC and three PGTC
        blocks of widths 32 to 256, temporal kernel 5, three hops, fusion
        after the last three blocks.

        Args:
            skeleton: The skeleton.
            num_classes: The number of actions.
            **kwargs: The further arguments of :class:`SymGNN`.
        """
        return cls(skeleton, num_classes, **kwargs)

    @classmethod
    def full(
        cls, skeleton: Skeleton, num_classes: int, **kwargs: Any
    ) -> "SymGNN":
        r"""The network for NTU-RGB+D and Kinetics: nine JGTC and eight PGTC
        blocks of widths 64, 128 and 256, temporal kernel 9, four hops,
        290 frames observed and 10 predicted, fusion after the third and the
        sixth block and stride 2 behind them.

        Args:
            skeleton: The skeleton.
            num_classes: The number of actions.
            **kwargs: The further arguments of :class:`SymGNN`.
        """
        arguments = {
            "observed": 290,
            "future": 10,
            "channels": (64,) * 3 + (128,) * 3 + (256,) * 3,
            "strides": (1, 1, 1, 2, 1, 1, 2, 1, 1),
            "fusion": (2, 5),
            "num_hops": 4,
            "kernel_size": 9,
        }
        return cls(skeleton, num_classes, **{**arguments, **kwargs})

    def reset_parameters(self) -> None:
        r"""Draws new weights."""
        for module in self.children():
            reset(module)

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[M \cdot V, T, C]`.
            num_bodies: The number of bodies of each sample, of shape
                :math:`[N]`: each body has graphs and a future of its own, and
                all bodies of a sample are recognised together.
                (default: one each)

        Raises:
            ValueError: If :obj:`x` has another number of frames or channels
                than the network was built for, or its rows are no multiple
                of :math:`V`.
        """
        if x.dim() != 3 or x.shape[1:] != (self.observed, self.in_channels):
            raise ValueError(
                f"Expected 'x' of shape [N * {self.skeleton.num_joints}, "
                f"{self.observed}, {self.in_channels}], got {list(x.shape)}"
            )
        samples(x, self.skeleton.num_joints, "joints")
        actional = None if self.actional is None else self.actional(x)
        shared = torch.cat(
            [
                branch(ops.difference(x, order), actional)
                for order, branch in zip(
                    self.orders, self.branches, strict=True
                )
            ],
            dim=-1,
        )
        logits = future = probabilities = None
        if self.recognition is not None:
            logits = self.recognition(shared, num_bodies)
            probabilities = logits.softmax(dim=-1)
            if num_bodies is not None:
                total = x.size(0) // self.skeleton.num_joints
                sample = sample_of_body(num_bodies, total)
                probabilities = probabilities[sample]
        if self.prediction is not None:
            future = self.prediction(x, shared, actional, probabilities)
        return SymGNNOutput(logits, future, actional, shared)


def _check_skeleton(
    model: SymGNN, state: dict[str, Tensor], prefix: str, *_: object
) -> None:
    saved = state.get(f"{prefix}skeleton_id")
    if saved is not None and int(saved) != model.skeleton.fingerprint:
        raise ValueError(
            f"The checkpoint was made for another skeleton than "
            f"{model.skeleton!r}"
        )
