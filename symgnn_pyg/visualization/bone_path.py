from collections.abc import Sequence

import numpy as np

from symgnn_pyg.visualization.arrays import Array


def bone_path(pose: Array, pairs: Sequence[tuple[int, int]]) -> Array:
    r"""Pairs of joints as one line with gaps of NaN, of shape
    :math:`[3P, C]`, which is drawn faster than :math:`P` lines.

    Args:
        pose: The joints' positions, of shape :math:`[V, C]`.
        pairs: The :math:`P` pairs of joints.
    """
    ends = pose[np.array(pairs, dtype=int).reshape(-1, 2)]  # [P, 2, C]
    gap = np.full_like(ends[:, :1], np.nan)
    return np.concatenate([ends, gap], 1).reshape(-1, pose.shape[-1])
