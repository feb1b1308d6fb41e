from typing import Any

from torch import Tensor
from torchmetrics.classification import MulticlassAccuracy

from symgnn_pyg.errors import check_tensors


class TopKAccuracy(MulticlassAccuracy):
    r"""The share of samples, from 0 to 1, whose true class is among the
    :math:`k` classes with the highest scores. All samples count the same.

    Args:
        num_classes: The number of classes.
        top_k: The number :math:`k`. (default: :obj:`1`)
        **kwargs: Further arguments of
            :class:`torchmetrics.classification.MulticlassAccuracy`.

    Raises:
        ValueError: If scores are NaN, which have no order. It is raised by
            :meth:`update`, unless :obj:`validate_args` is :obj:`False`.

    Shapes:
        - **input:** scores :math:`[N, K]`, labels :math:`[N]`
        - **output:** a scalar
    """

    def __init__(self, num_classes: int, top_k: int = 1, **kwargs: Any) -> None:
        super().__init__(num_classes, top_k, average="micro", **kwargs)

    def update(self, preds: Tensor, target: Tensor) -> None:
        check_tensors(preds=preds, target=target)
        if self.validate_args and preds.isnan().any():
            raise ValueError(
                "Expected the scores 'preds' to be numbers, got NaN; check "
                "the network's weights, and its input for missing joints"
            )
        # The base class cannot reshape scores of no samples.
        if preds.shape != (0, self.num_classes) or target.shape != (0,):
            super().update(preds, target)
