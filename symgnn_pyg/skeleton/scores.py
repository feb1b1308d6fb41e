r"""Scores beside coordinates."""

import numpy as np
import numpy.typing as npt

from symgnn_pyg.skeleton.as_skeleton import as_skeleton
from symgnn_pyg.skeleton.skeleton import Skeleton

# The layouts of detectors that find joints in images.
IN_IMAGES = ("coco17", "coco_wholebody133", "kinetics18", "openpose25")
# Some detectors exceed 1 slightly.
HIGHEST = 1.1


def count_coordinates(
    positions: npt.ArrayLike, skeleton: Skeleton | str
) -> int:
    r"""The number of leading channels that are coordinates: 2 of 3 if the
    skeleton is the layout of a detector in images, such as :obj:`"coco17"`, and
    the third channel lies between 0 and 1, or slightly above, as scores do.
    Otherwise all.

    Args:
        positions: The positions, of shape :math:`[*, V, C]`; NaN for joints
            that were not seen.
        skeleton: The skeleton, or its name.
    """
    positions = np.asarray(positions)
    channels = positions.shape[-1]
    if channels == 3 and as_skeleton(skeleton).name in IN_IMAGES:
        third = positions[..., 2]
        if (np.isnan(third) | ((third >= 0) & (third <= HIGHEST))).all():
            return 2
    return channels
