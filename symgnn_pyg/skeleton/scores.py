r"""Scores beside coordinates."""

import numpy as np
from numpy.typing import NDArray

from symgnn_pyg.skeleton.skeleton import Skeleton

# The layouts of detectors that find joints in images.
IN_IMAGES = ("coco17", "coco_wholebody133", "kinetics18", "openpose25")
# Some detectors exceed 1 slightly.
HIGHEST = 1.1


def count_coordinates(
    positions: NDArray[np.floating], skeleton: Skeleton
) -> int:
    r"""The number of leading channels that are coordinates: 2 of 3 if the
    skeleton is the layout of a detector in images, such as :obj:`"coco17"`, and
    the third channel lies between 0 and 1, or slightly above, as scores do.
    Otherwise all.

    Args:
        positions: The positions, of shape :math:`[*, V, C]`; NaN for joints
            that were not seen.
        skeleton: The skeleton.
    """
    channels = positions.shape[-1]
    if channels == 3 and skeleton.name in IN_IMAGES:
        third = positions[..., 2]
        if (np.isnan(third) | ((third >= 0) & (third <= HIGHEST))).all():
            return 2
    return channels
