"""The recordings of a folder, read onto the skeleton that they share."""

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from symgnn_pyg.datasets.folder_files import Files, is_amc
from symgnn_pyg.errors import DataError, data_error
from symgnn_pyg.io import (
    ASF,
    Motion,
    Source,
    read_asf,
    read_bvh_header,
    read_recording,
    resample_frames,
    same_rate,
    same_unit,
    select_joints,
)
from symgnn_pyg.skeleton import Skeleton

TABLES = (".csv", ".tsv")


class Common(NamedTuple):
    """What the recordings share, the files that it was read from, and the
    arguments of :func:`read_recording` for all of them.
    """

    skeleton: Skeleton
    bodies: Mapping[str, ASF]
    options: Mapping[str, Any]
    example: str = ""
    timed: str = ""
    frame_rate: float = 0.0
    table: str = ""
    unit: str | None = None


def read_frames(content: bytes, where: str, common: Common) -> np.ndarray:
    motion = _read(content, where, common)
    frames, rate = motion.frames, motion.frame_rate
    wanted, kind = common.options["frame_rate"], common.options["kind"]
    _check_unit(motion, where, common)
    if motion.skeleton is not common.skeleton:
        frames = frames[..., _kept(motion.skeleton, where, common), :]
    if rate and wanted:
        with data_error(where):
            return resample_frames(frames, rate, wanted, kind)
    if wanted and common.frame_rate:
        raise DataError(
            f"{where} does not state its frame rate, as {common.timed} does, "
            f"so it cannot be resampled; leave out 'frame_rate'"
        )
    if rate and not same_rate(rate, common.frame_rate):
        other = "does not state its rate"
        if common.frame_rate:
            other = f"has {common.frame_rate:.4g}"
        raise DataError(
            f"{where} has {rate:.4g} frames per second, but "
            f"{common.timed or common.example} {other}; pass the 'frame_rate' "
            f"to resample them to"
        )
    return frames


def _read(content: bytes, where: str, common: Common) -> Motion:
    body = common.bodies.get(where)
    return read_recording(
        content, where, common.skeleton, body, **common.options
    )


def _kept(own: Skeleton, where: str, common: Common) -> list[int]:
    """The indices in the file of the joints that the skeleton has."""
    wanted = common.skeleton
    same = (own.joints, own.bones) == (wanted.joints, wanted.bones)
    if common.example and not same:
        differing = sorted(set(own.joints) ^ set(wanted.joints))
        what = ", ".join(differing[:10]) or "the order or the bones"
        raise DataError(
            f"{where} has another skeleton than {common.example}: they differ "
            f"in {what}; pass a 'skeleton' of joints that all files have"
        )
    return select_joints(own.joints, wanted, where)


def find_bodies(source: Source, files: Files) -> tuple[dict[str, ASF], str]:
    """The body of each AMC file by its full name, and their checksum."""
    body_of = {
        file: _body_of(source, file, files.bodies)
        for file in files.classes
        if is_amc(file)
    }
    read, digest = {}, hashlib.sha256()
    for body in sorted(set(body_of.values())):
        content = source.read(body)
        digest.update(content)
        read[body] = read_asf(content, source.where(body))
    bodies = {source.where(file): read[body] for file, body in body_of.items()}
    return bodies, digest.hexdigest() if bodies else ""


def _body_of(source: Source, file: str, bodies: Sequence[str]) -> str:
    path = PurePosixPath(file)
    beside = [b for b in bodies if PurePosixPath(b).parent == path.parent]
    for some in (beside, bodies):
        named = [b for b in some if path.stem.startswith(PurePosixPath(b).stem)]
        for found in (named, some):
            if len(found) == 1:
                return found[0]
    raise DataError(
        f"Expected one .asf file for {source.where(file)}, in its folder or "
        f"with a name that its own starts with, but {source.path} holds "
        f"{', '.join(bodies[:10]) or 'none'}"
    )


def find_common(
    source: Source,
    recordings: Sequence[str],
    bodies: Mapping[str, ASF],
    skeleton: Skeleton | None,
    options: Mapping[str, Any],
) -> Common:
    fault = None
    for file in recordings:
        where = source.where(file)
        timed, frame_rate = "", 0.0
        if where in bodies:
            own = bodies[where].skeleton
        elif file.lower().endswith(".bvh"):
            try:
                header = read_bvh_header(source.read(file), where)
            except DataError as error:
                # Reading it reports this, unless no file can be read.
                fault = fault or error
                continue
            own, timed, frame_rate = header.skeleton, where, header.frame_rate
        elif file.lower().endswith(".skeleton"):
            own = Skeleton.get("ntu25")
        else:
            continue
        if skeleton is not None:
            return Common(skeleton, bodies, options, "", timed, frame_rate)
        if own.offsets is not None:
            # Bodies differ in size, and positions require no offsets.
            parts = dict(own.parts)
            own = Skeleton(own.joints, own.bones, parts, name=own.name)
        return Common(own, bodies, options, where, timed, frame_rate)
    if skeleton is None:
        raise fault or ValueError(
            f"'skeleton' is required: no file of {source.path} holds the bones "
            f"between its joints"
        )
    return Common(skeleton, bodies, options)


def add_table(
    source: Source, recordings: Sequence[str], common: Common, unit: str | None
) -> Common:
    """Adds what the first table that can be read states: its unit, or else the
    one that is given, and its frame rate unless another file states one.
    """
    for file in recordings:
        where = source.where(file)
        if not file.lower().endswith(TABLES):
            continue
        try:
            # Preparing the data repeats the warnings and reports errors.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                motion = _read(source.read(file), where, common)
        except DataError:
            continue
        if not common.timed:
            rate = motion.frame_rate or 0.0
            common = common._replace(timed=where, frame_rate=rate)
        common = common._replace(
            table="" if unit else where, unit=unit or motion.unit
        )
        _check_unit(motion, where, common)
        break
    return common


def _check_unit(motion: Motion, where: str, common: Common) -> None:
    if not where.lower().endswith(TABLES) or same_unit(
        motion.unit or "", common.unit or ""
    ):
        return
    stated = f"the unit {motion.unit}" if motion.unit else "no unit"
    if common.table:
        other = f"in {common.unit}" if common.unit else "in an unknown unit"
        cure = "convert them to one unit"
        if not (common.unit and motion.unit):
            cure += ", or pass the 'unit' if it is that of all"
        raise DataError(
            f"{where} states {stated}, but {common.table} is {other}; {cure}"
        )
    if motion.unit:
        raise DataError(
            f"{where} states {stated}, expected {common.unit}; convert the "
            f"numbers, or correct the unit"
        )
