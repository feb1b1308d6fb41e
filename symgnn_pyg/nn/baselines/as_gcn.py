from collections.abc import Sequence

from torch import Tensor

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import ActionalGraphInference, SymGNNOutput
from symgnn_pyg.nn.baselines.joint_classifier import JointClassifier
from symgnn_pyg.nn.baselines.st_gcn import (
    CHANNELS,
    STRIDES,
    spatial_blocks,
    spatial_partitions,
)


class ASGCN(JointClassifier):
    r"""The recognition network of the `"Actional-Structural Graph
    Convolutional Networks for Skeleton-Based Action Recognition"
    <https://arxiv.org/abs/1904.12659>`_ paper: nine blocks of

    .. math::
        \mathbf{Y}_t = \sum_{k=1}^{2 L + 1} (\mathbf{M}_k \odot \mathbf{A}_k)
        \mathbf{X}_t \mathbf{W}_k + \lambda \mathbf{A}_{\textrm{act}}
        \mathbf{X}_t \mathbf{W}_{\textrm{act}}

    over the partitions of :func:`spatial_partitions` up to hop :math:`L` and
    an actional graph, and a temporal convolution.

    What differs: the actional links are one graph per sample, inferred by
    :class:`~symgnn_pyg.nn.ActionalGraphInference` and trained with the rest,
    where the paper draws links of several types by Gumbel softmax, infers
    them with an encoder and a decoder that are trained first, to predict
    poses, with a prior for few links. Left out: the head that predicts poses,
    and the biases of the graph convolutions. With NTU-RGB+D's 25 joints and
    60 classes the blocks, the norm in front of them and the classifier have
    4.57 million parameters; in the published code, by its layers' sizes, the
    same have 4.58 million with one type of links, 4.80 million with two. The
    inference adds 0.24 million for 50 observed frames.

    Args:
        skeleton: The skeleton.
        num_classes: The number of actions.
        num_observed: The number of observed frames.
        num_future: Ignored.
        in_channels: Size of a joint's pose. (default: :obj:`3`)
        channels: The width of each block. (default: three times 64, 128, 256)
        strides: The temporal stride of each block.
            (default: 2 in the fourth and the seventh)
        num_hops: The number of hops :math:`L`. (default: :obj:`4`)
        lambda_: The weight :math:`\lambda` of the actional graph.
            (default: :obj:`0.5`)
        kernel_size: The temporal kernel, in frames. (default: :obj:`9`)
        dropout: The dropout probability. (default: :obj:`0.5`)
    """

    def __init__(
        self,
        skeleton: Skeleton,
        num_classes: int,
        num_observed: int,
        num_future: int,
        in_channels: int = 3,
        channels: Sequence[int] = CHANNELS,
        strides: Sequence[int] = STRIDES,
        num_hops: int = 4,
        lambda_: float = 0.5,
        kernel_size: int = 9,
        dropout: float = 0.5,
    ) -> None:
        blocks = spatial_blocks(
            spatial_partitions(skeleton, num_hops),
            in_channels,
            channels,
            strides,
            kernel_size,
            dropout,
            num_further=1,
        )
        base = skeleton, num_classes, num_observed, num_future, in_channels
        super().__init__(*base, blocks, channels[-1])
        self.lambda_ = lambda_
        self.actional_inference = ActionalGraphInference(
            num_observed * in_channels, skeleton, dropout=dropout
        )

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[M \cdot V, T, C]`.
            num_bodies: The number of bodies of each sample, of shape
                :math:`[N]`. (default: one each)
        """
        actional = self.actional_inference(self.samples(x).flatten(0, 1))
        out = self.recognise(x, num_bodies, self.lambda_ * actional)
        return out._replace(actional=actional)
