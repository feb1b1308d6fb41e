"""One recording of any format that SkeletonFolder reads."""

import math
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.asf_amc import ASFSkeleton, parse_amc
from symgnn_pyg.io.bvh import parse_bvh, read_bvh_hierarchy
from symgnn_pyg.io.csv import parse_csv
from symgnn_pyg.io.npy import parse_npy, parse_npz
from symgnn_pyg.skeleton import Skeleton

SUFFIXES = (".npy", ".npz", ".csv", ".bvh", ".amc")
# Programs round a frame's time to few digits.
SAME_TIME = 0.01


class Common(NamedTuple):
    r"""What the recordings of a data set have in common.

    Args:
        skeleton: The joints to keep of each, in this order.
        example: The file whose skeleton the others must have, if any.
            (default: :obj:`""`)
        timed: The file whose frame time the others must have, if any.
            (default: :obj:`""`)
        frame_time: That time in seconds. (default: :obj:`0.0`)
        asf: The skeleton of :obj:`.amc` files. (default: :obj:`None`)
    """

    skeleton: Skeleton
    example: str = ""
    timed: str = ""
    frame_time: float = 0.0
    asf: ASFSkeleton | None = None


def find_common(
    content: bytes,
    where: str,
    skeleton: Skeleton | None,
    asf: ASFSkeleton | None,
) -> Common:
    r"""What the recordings of a data set have in common, by the first of
    those that tell.

    Args:
        content: The content of its file.
        where: The name of its file.
        skeleton: The joints to keep; those of the file for :obj:`None`.
        asf: The skeleton of :obj:`.amc` files.
    """
    timed, frame_time = "", 0.0
    if is_amc(where):
        assert asf is not None
        own = asf.skeleton
    else:
        hierarchy = read_bvh_hierarchy(content, where)
        own, frame_time = hierarchy.skeleton, hierarchy.frame_time
        timed = where
    if skeleton is not None:
        return Common(skeleton, "", timed, frame_time, asf)
    # Bodies differ in size, and positions need no offsets.
    skeleton = Skeleton(own.joints, own.bones, name=own.name)
    return Common(skeleton, where, timed, frame_time, asf)


def parse_recording(content: bytes, where: str, common: Common) -> np.ndarray:
    r"""The frames of a recording, of shape :math:`[T, V, C]` or
    :math:`[B, T, V, C]`, by the suffix of its name.

    Args:
        content: The content of the file.
        where: Its name.
        common: What it must have in common with others.

    Raises:
        DataError: If it cannot be parsed, or has another skeleton or frame
            time than others.
    """
    match PurePosixPath(where).suffix.lower():
        case ".npy":
            return parse_npy(content, where)
        case ".npz":
            return parse_npz(content, where)
        case ".csv":
            return parse_csv(content, where, common.skeleton.joints)
        case ".amc":
            assert common.asf is not None
            positions = parse_amc(content, where, common.asf)
            own = common.asf.skeleton
        case _:
            hierarchy = read_bvh_hierarchy(content, where)
            _check_time(hierarchy.frame_time, where, common)
            positions = parse_bvh(content, where)
            own = hierarchy.skeleton
    return positions[:, _joints(own, where, common)]


def is_amc(file: str) -> bool:
    r"""Whether a file is an :obj:`.amc` file."""
    return file.lower().endswith(".amc")


def has_skeleton(file: str) -> bool:
    r"""Whether a file tells which joints there are."""
    return is_amc(file) or file.lower().endswith(".bvh")


def _check_time(frame_time: float, where: str, common: Common) -> None:
    if common.timed and not math.isclose(
        frame_time, common.frame_time, rel_tol=SAME_TIME
    ):
        raise DataError(
            f"{where} has frames of {frame_time:g} s, but {common.timed} of "
            f"{common.frame_time:g} s; bring them to one frame rate"
        )


def _joints(own: Skeleton, where: str, common: Common) -> list[int]:
    wanted = common.skeleton
    if common.example and (own.joints, own.bones) != (
        wanted.joints,
        wanted.bones,
    ):
        differing = sorted(set(own.joints) ^ set(wanted.joints))
        what = ", ".join(differing[:10]) or "the order or the bones"
        raise DataError(
            f"{where} has another skeleton than {common.example}, which "
            f"differs in {what}; pass a 'skeleton' of joints that all have"
        )
    lacking = [joint for joint in wanted.joints if joint not in own.joints]
    if lacking:
        raise DataError(
            f"{where} lacks {', '.join(lacking[:10])} of {wanted!r}; it has "
            f"{', '.join(own.joints[:50])}"
        )
    return [own.index(joint) for joint in wanted.joints]
