from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import ModuleList

from symgnn_pyg import ops
from symgnn_pyg.errors import check_choices, check_fractions, check_sizes
from symgnn_pyg.nn.batch import check_tensor, sample_of_body, samples
from symgnn_pyg.nn.models.actional_inference import ActionalGraphInference
from symgnn_pyg.nn.models.multi_scale_gcn import MultiScaleGCN
from symgnn_pyg.nn.models.prediction_head import DECODERS, PredictionHead
from symgnn_pyg.nn.models.prediction_step import check_orders
from symgnn_pyg.nn.models.pretrained import Pretrained
from symgnn_pyg.nn.models.recognition_head import RecognitionHead
from symgnn_pyg.nn.models.skeleton_id import register_skeleton_id
from symgnn_pyg.skeleton import Skeleton, as_skeleton


class SymGNNOutput(NamedTuple):
    r"""The output of :class:`SymGNN`.

    Args:
        logits: Class scores before the softmax :math:`[N, K]`, or :obj:`None`
            without a recognition head.
        future: Predicted poses :math:`[M \cdot V, T', C]`, or :obj:`None`
            without a prediction head.
        actional: The actional graphs :math:`[M, V, V]`, or :obj:`None` if the
            network does not use them.
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
    Prediction" <https://arxiv.org/abs/1910.02212>`_ paper: a backbone with one
    :class:`~symgnn_pyg.nn.MultiScaleGCN` per order of difference, and a
    recognition and a prediction head that learn together.

    .. math::
        \mathbf{A}_{\textrm{act}} &= \textrm{AGIM}(\mathbf{X}) \\
        \mathbf{H} &= \big\Vert_b \, \textrm{GCN}_b(\mathcal{D}^b \mathbf{X},
        \mathbf{A}_{\textrm{act}}) \\
        \hat{\mathbf{y}} &= \textrm{softmax}(\textrm{recognise}(\mathbf{H})),
        \qquad \hat{\mathbf{X}}^{+} = \textrm{predict}(\mathbf{X},
        \mathbf{H}, \mathbf{A}_{\textrm{act}}, \hat{\mathbf{y}})

    :meth:`light` and :meth:`full` build the two networks of the paper.

    A network has one skeleton. For recordings of several, convert them to one
    (:func:`~symgnn_pyg.skeleton.conversion`), train a network for each, or
    build your own from layers, which take several skeletons with shared
    weights: pass them as a list, and :obj:`skeleton_type` in the call.

    Args:
        skeleton: The skeleton.
        num_classes: The number of actions :math:`K`, or 0 for a network
            without a recognition head.
        num_observed: The number of observed frames :math:`T`.
            (default: :obj:`50`)
        num_future: The number of frames to predict :math:`T'`, or 0 for a
            network without a prediction head. (default: :obj:`25`)
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
        orders: The orders of the differences, each with its own branch.
            (default: :obj:`(0, 1, 2)`)
        num_iterations: The number of times AGIM applies equation (1).
            (default: :obj:`2`)
        hidden_channels: The width of both heads. (default: :obj:`256`)
        dropout: The dropout probability. (default: :obj:`0.5`)
        use_structural: Whether there are structural graphs.
            (default: :obj:`True`)
        use_actional: Whether there are actional graphs. (default: :obj:`True`)
        use_parts: Whether there is a part scale. (default: :obj:`True`)
        plain_last: If set to :obj:`False`, :math:`f_e` of equation (1) ends
            with batch normalisation and ReLU. (default: :obj:`True`)
        self_pairs: If set to :obj:`True`, the mean of equation (1) includes
            :math:`j = i`. (default: :obj:`False`)
        decoder: How frames are predicted: :obj:`"recursive"`, as in the paper,
            :obj:`"direct"` or :obj:`"both"`; see
            :class:`~symgnn_pyg.nn.PredictionHead`.
            (default: :obj:`"recursive"`)
        forecast: If set to :obj:`True`, the prediction head has a linear path
            from the recent frames of each joint to its future.
            (default: :obj:`False`)
        num_recent: The number of last observed frames that the direct decoder
            and the forecast see, at most :math:`T`. (default: :obj:`20`)
        learned_pool: If set to :obj:`True`, the mean over time at the end of
            the backbone is learned (:class:`~symgnn_pyg.nn.TemporalPool`).
            (default: :obj:`False`)

    Raises:
        TypeError: If a number of classes, frames or channels is not an integer.
        ValueError: If an argument is out of range, or both :obj:`num_classes`
            and :obj:`num_future` are 0.

    Shapes:
        - **input:** observed sequences :math:`[M \cdot V, T, C]` of the
          :math:`M` bodies of :math:`N` samples
        - **output:** a :class:`SymGNNOutput`
    """

    # The fingerprint of the skeleton, which is saved with the weights to reject
    # those of another skeleton.
    skeleton_id: Tensor

    def __init__(
        self,
        skeleton: Skeleton | str,
        num_classes: int,
        *,
        num_observed: int = 50,
        num_future: int = 25,
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
        use_structural: bool = True,
        use_actional: bool = True,
        use_parts: bool = True,
        plain_last: bool = True,
        self_pairs: bool = False,
        decoder: str = "recursive",
        forecast: bool = False,
        num_recent: int = 20,
        learned_pool: bool = False,
    ) -> None:
        skeleton = as_skeleton(skeleton)
        super().__init__()
        self._keep_arguments(locals())
        self.about = {}
        check_fractions(dropout=dropout)
        check_sizes(0, num_classes=num_classes, num_future=num_future)
        check_sizes(
            1,
            num_observed=num_observed,
            in_channels=in_channels,
            hidden_channels=hidden_channels,
            num_recent=num_recent,
        )
        if num_classes == num_future == 0:
            raise ValueError(
                "At least one of 'num_classes' and 'num_future' must be "
                "positive, got 0 and 0"
            )
        check_orders(orders)
        check_choices(DECODERS, decoder=decoder)
        self.skeleton = skeleton
        self.num_classes = num_classes
        self.num_observed = num_observed
        self.num_future = num_future
        self.in_channels = in_channels
        self.orders = tuple(orders)
        self.actional_inference: ActionalGraphInference | None = None
        if use_actional:
            self.actional_inference = ActionalGraphInference(
                in_channels * num_observed,
                skeleton,
                num_iterations=num_iterations,
                dropout=dropout,
                plain_last=plain_last,
                self_pairs=self_pairs,
            )
        graphs: dict[str, Any] = {
            "num_hops": num_hops,
            "lambda_": lambda_,
            "use_structural": use_structural,
            "use_actional": use_actional,
        }
        branches = [
            MultiScaleGCN(
                skeleton,
                in_channels,
                channels,
                strides=strides,
                fusion=fusion,
                kernel_size=kernel_size,
                dropout=dropout,
                use_parts=use_parts,
                num_observed=num_observed if learned_pool else None,
                **graphs,
            )
            for _ in self.orders
        ]
        self.branches = ModuleList(branches)
        width = sum(branch.out_channels for branch in branches)
        self.recognition_head: RecognitionHead | None = None
        if num_classes > 0:
            self.recognition_head = RecognitionHead(
                width,
                num_classes,
                skeleton,
                hidden_channels=hidden_channels,
                dropout=dropout,
            )
        self.prediction_head: PredictionHead | None = None
        if num_future > 0:
            self.prediction_head = PredictionHead(
                width,
                in_channels,
                skeleton,
                num_future=num_future,
                num_classes=num_classes,
                orders=orders,
                hidden_channels=hidden_channels,
                decoder=decoder,
                forecast=forecast,
                num_recent=min(num_recent, num_observed),
                **graphs,
            )
        register_skeleton_id(self)

    @classmethod
    def light(
        cls, skeleton: Skeleton | str, num_classes: int, **kwargs: Any
    ) -> "SymGNN":
        r"""Builds the network of the paper for Human3.6M and CMU Mocap: four
        JGTC and three PGTC blocks with 32 to 256 channels, a temporal kernel
        of 5 frames, three hops, and fusion after the last three blocks. They
        are the defaults of the constructor.
        :func:`symgnn_pyg.training.light_network` builds it for a data set,
        with the head that learns best.

        Args:
            skeleton: The skeleton.
            num_classes: The number of actions.
            **kwargs: Further arguments of :class:`SymGNN`.
        """
        return cls(skeleton, num_classes, **kwargs)

    @classmethod
    def full(
        cls, skeleton: Skeleton | str, num_classes: int, **kwargs: Any
    ) -> "SymGNN":
        r"""Builds the network of the paper for NTU-RGB+D and Kinetics: nine
        JGTC and eight PGTC blocks with 64, 128 and 256 channels, a temporal
        kernel of 9 frames, four hops, 290 observed and 10 future frames, and
        fusion after the third and the sixth block, each followed by a block
        with stride 2.

        Args:
            skeleton: The skeleton.
            num_classes: The number of actions.
            **kwargs: Further arguments of :class:`SymGNN`.
        """
        arguments = {
            "num_observed": 290,
            "num_future": 10,
            "channels": (64,) * 3 + (128,) * 3 + (256,) * 3,
            "strides": (1, 1, 1, 2, 1, 1, 2, 1, 1),
            "fusion": (2, 5),
            "num_hops": 4,
            "kernel_size": 9,
        }
        return cls(skeleton, num_classes, **{**arguments, **kwargs})

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[M \cdot V, T, C]`.
            num_bodies: The number of bodies in each sample, of shape
                :math:`[N]`. All bodies in a sample are recognised together,
                but each has its own graphs and future.
                (default: one body per sample)

        Raises:
            ValueError: If the number of frames or channels of :obj:`x` does
                not fit the network, or its number of rows is not a multiple
                of :math:`V`.
        """
        check_tensor(x)
        if x.dim() != 3 or x.shape[1:] != (self.num_observed, self.in_channels):
            raise ValueError(
                f"Expected 'x' of shape [N * {self.skeleton.num_joints}, "
                f"{self.num_observed}, {self.in_channels}] for num_observed="
                f"{self.num_observed} and in_channels={self.in_channels}, got "
                f"{list(x.shape)}"
            )
        samples(x, self.skeleton.num_joints, "joints")
        actional = None
        if self.actional_inference is not None:
            actional = self.actional_inference(x)
        branches = zip(self.orders, self.branches, strict=True)
        shared = torch.cat(
            [branch(ops.difference(x, b), actional) for b, branch in branches],
            dim=-1,
        )
        logits = future = probabilities = None
        if self.recognition_head is not None:
            logits = self.recognition_head(shared, num_bodies)
            probabilities = logits.softmax(dim=-1)
            if num_bodies is not None:
                total = x.size(0) // self.skeleton.num_joints
                sample = sample_of_body(num_bodies, total)
                probabilities = probabilities[sample]
        if self.prediction_head is not None:
            if actional is not None:
                # A separate view, so that gradients with respect to the output
                # are only those that pass through the head.
                actional = actional.view_as(actional)
            if logits is not None and logits.size(1) != self.num_classes:
                raise ValueError(
                    f"The recognition head gives {logits.size(1)} scores in a "
                    f"network of {self.num_classes} classes; from_pretrained("
                    f"..., num_classes={logits.size(1)}) replaces the heads"
                )
            future = self.prediction_head(x, shared, actional, probabilities)
        return SymGNNOutput(logits, future, actional, shared)
