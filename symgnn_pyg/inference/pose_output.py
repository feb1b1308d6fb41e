from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from symgnn_pyg.inference.recordings import Recordings


class PoseOutput(NamedTuple):
    r"""The output of :class:`PoseModel`. For several recordings or windows,
    each entry has their dimensions in front.

    Args:
        action: The name of the most probable class, or a list of names.
            :obj:`None` if the network does not recognise.
        probabilities: The probability of each class by its name, a number or
            an array. :obj:`None` if the network does not recognise.
        future: The poses that follow the window, of shape
            :math:`[T', V, C]`, in the unit and at the frame rate of the data.
            :obj:`None` if the network does not predict.
    """

    action: Any
    probabilities: dict[str, Any] | None
    future: Any


def pose_output(
    logits: Tensor | None,
    future: Tensor | None,
    *,
    given: Recordings,
    classes: list[str],
    every_window: bool,
) -> PoseOutput:
    r"""The answers to :math:`N` recordings in the kind of array that was given,
    from class scores before the softmax :math:`[W, N, K]` and future poses
    :math:`[W, N, V, T', C]` for all :math:`W` windows of each or its last one.
    """

    def arranged(rows: Tensor) -> Tensor:  # [W, N, *]
        rows = rows.transpose(0, 1) if every_window else rows.squeeze(0)
        return rows.squeeze(0) if given.single else rows

    action = probabilities = None
    if logits is not None:
        scores = arranged(logits.softmax(dim=-1))
        best = scores.argmax(dim=-1).cpu().numpy()
        action = np.array(classes)[best].tolist()
        columns = given.returned(scores)
        probabilities = {
            name: columns[..., i] if scores.dim() > 1 else float(scores[i])
            for i, name in enumerate(classes)
        }
    if future is not None:
        future = arranged(future).transpose(-2, -3)  # [*, T', V, C]
        future = given.returned(future)
    return PoseOutput(action, probabilities, future)
