from collections.abc import Sequence
from typing import Any

from symgnn_pyg.nn import SymGNN
from symgnn_pyg.training.samples import DatasetLike, source_of

# Of the prediction heads compared, the one with the lowest validation error
# after the same number of steps.
DEFAULT_HEAD: dict[str, Any] = {
    "decoder": "both",
    "forecast": True,
    "learned_pool": True,
}


def light_network(
    dataset: DatasetLike,
    channels: Sequence[int] = (32, 64, 128, 256),
    dropout: float = 0.1,
    **kwargs: Any,
) -> SymGNN:
    r"""Builds :meth:`SymGNN.light() <symgnn_pyg.nn.SymGNN.light>`, the light
    network of the paper, with two differences. Its sizes are those of the
    samples of a data set. And instead of the paper's head it has
    the one that learns best per step on validation windows: both decoders, a
    linear forecast and a learned mean over time (:obj:`DEFAULT_HEAD`).

    Args:
        dataset: The data set.
        channels: The width of each block. All blocks but the first halve the
            frame rate, and the scales are fused after them.
            (default: :obj:`(32, 64, 128, 256)`)
        dropout: The dropout probability. (default: :obj:`0.1`)
        **kwargs: Further arguments of :class:`~symgnn_pyg.nn.SymGNN`, which
            take precedence.
    """
    source = source_of(dataset)
    arguments = {
        "num_classes": source.num_classes,
        "num_observed": source.num_observed,
        "num_future": source.num_future,
        "in_channels": source.store.num_channels,
        "channels": tuple(channels),
        "strides": (1,) + (2,) * (len(channels) - 1),
        "fusion": tuple(range(1, len(channels))),
        "dropout": dropout,
        "num_recent": min(20, source.num_observed),
        **DEFAULT_HEAD,
    }
    return SymGNN.light(source.skeleton, **{**arguments, **kwargs})
