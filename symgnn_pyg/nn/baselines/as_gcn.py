from collections.abc import Sequence
from functools import partial

from torch import Tensor

from symgnn_pyg import Skeleton
from symgnn_pyg.errors import check_sizes
from symgnn_pyg.nn import ActionalGraphInference, SymGNNOutput
from symgnn_pyg.nn.baselines.joint_classifier import JointClassifier
from symgnn_pyg.nn.baselines.st_gcn import (
    CHANNELS,
    STRIDES,
    SpatialBlock,
    spatial_partitions,
)


class ASGCN(JointClassifier):
    r"""The recognition network from the `"Actional-Structural Graph
    Convolutional Networks for Skeleton-Based Action Recognition"
    <https://arxiv.org/abs/1904.12659>`_ paper (AS-GCN): nine blocks, each of a
    graph convolution

    .. math::
        \mathbf{Y}_t = \sum_{k=1}^{2 L + 1} (\mathbf{M}_k \odot \mathbf{A}_k)
        \mathbf{X}_t \mathbf{W}_k + \lambda \mathbf{A}_{\textrm{act}}
        \mathbf{X}_t \mathbf{W}_{\textrm{act}}

    over the partitions of :class:`STGCN` for each of :math:`L` hops and an
    actional graph :math:`\mathbf{A}_{\textrm{act}}`, followed by a temporal
    convolution.

    Three things differ from the paper. There is one actional graph per
    sample, inferred by :class:`~symgnn_pyg.nn.ActionalGraphInference` and
    trained with the rest; the paper samples links of several types with a
    Gumbel softmax from an encoder that is trained beforehand, together with a
    decoder, to predict poses. It has no head that predicts poses. The graph
    convolutions have no bias.

    With the 25 joints and 60 classes of NTU-RGB+D it has 4.57 million
    parameters without the inference of actional graphs, which adds 0.24
    million for 50 observed frames. The same layers of the published code have
    4.58 million with one type of links and 4.80 million with two.

    Args:
        skeleton: The skeleton, of :math:`V` joints.
        num_classes: The number of actions :math:`K`.
        num_observed: The number of observed frames :math:`T`, from all of
            which the actional graph is inferred. (default: :obj:`50`)
        in_channels: Size of a joint's pose :math:`C`. (default: :obj:`3`)
        channels: The width of each block.
            (default: three times 64, 128 and 256)
        strides: The temporal stride of each block.
            (default: 2 in the fourth and the seventh block, otherwise 1)
        num_hops: The number of hops :math:`L`. (default: :obj:`4`)
        lambda_: The weight :math:`\lambda` of the actional graph.
            (default: :obj:`0.5`)
        kernel_size: The temporal kernel, in frames, odd.
            (default: :obj:`9`)
        dropout: The dropout probability. (default: :obj:`0.5`)

    Raises:
        ValueError: If a size is smaller than 1, or :obj:`channels` and
            :obj:`strides` differ in length.

    Shapes:
        - **input:** observed sequences :math:`[M \cdot V, T, C]` of the
          :math:`M` bodies of :math:`N` samples
        - **output:** a :class:`~symgnn_pyg.nn.SymGNNOutput` with class scores
          :math:`[N, K]` and actional graphs :math:`[M, V, V]`
    """

    def __init__(
        self,
        skeleton: Skeleton | str,
        num_classes: int,
        num_observed: int = 50,
        *,
        in_channels: int = 3,
        channels: Sequence[int] = CHANNELS,
        strides: Sequence[int] = STRIDES,
        num_hops: int = 4,
        lambda_: float = 0.5,
        kernel_size: int = 9,
        dropout: float = 0.5,
    ) -> None:
        check_sizes(1, num_observed=num_observed)
        super().__init__(
            skeleton,
            num_classes,
            in_channels,
            channels=channels,
            strides=strides,
            block=partial(
                SpatialBlock,
                partitions=spatial_partitions(skeleton, num_hops),
                num_additional=1,
                kernel_size=kernel_size,
                dropout=dropout,
            ),
        )
        self._keep_arguments(locals())
        self.num_observed = num_observed
        self.lambda_ = lambda_
        self.actional_inference = ActionalGraphInference(
            num_observed * in_channels, skeleton, dropout=dropout
        )

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        motion = self.samples(x).flatten(0, 1)
        if x.size(1) != self.num_observed:
            raise ValueError(
                f"Expected 'x' of shape [M * {self.skeleton.num_joints}, "
                f"{self.num_observed}, {self.in_channels}], got "
                f"{list(x.shape)}"
            )
        actional = self.actional_inference(motion)
        out = self._recognise(x, num_bodies, self.lambda_ * actional)
        return SymGNNOutput(out.logits, out.future, actional, out.shared)
