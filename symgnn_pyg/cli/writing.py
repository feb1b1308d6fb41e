"""Recordings to files."""

from pathlib import Path

import numpy as np

from symgnn_pyg.errors import DataError
from symgnn_pyg.files import replacing
from symgnn_pyg.io import read_csv
from symgnn_pyg.skeleton import Skeleton


def check_suffix(path: Path, suffixes: tuple[str, ...]) -> str:
    r"""The suffix of a file to write, which must be one of the given ones."""
    suffix = path.suffix.lower()
    if suffix in suffixes:
        return suffix
    ends = " or ".join(suffixes)
    if suffix in (".bvh", ".amc"):
        raise ValueError(
            f"{path} would hold rotations, which positions do not determine: "
            f"write a file that ends in {ends}, or a .bvh file from another "
            f".bvh file"
        )
    raise ValueError(
        f"Expected the name of a file to write that ends in {ends}, got {path}"
    )


def write_motion(
    path: Path, frames: np.ndarray, skeleton: Skeleton, scored: bool = False
) -> None:
    r"""Writes a recording as :obj:`.npy` or :obj:`.csv`, without rounding. The
    last channel is a score if it is :obj:`scored`.
    """
    if check_suffix(path, (".npy", ".csv")) == ".npy":
        with replacing(path) as temporary:
            np.save(temporary, frames, allow_pickle=False)
        return
    if frames.ndim == 4 and len(frames) == 1:
        frames = frames[0]
    if frames.ndim != 3:
        raise ValueError(
            f"A .csv file holds one body, but there are {len(frames)}: write "
            f"a .npy file"
        )
    channels = frames.shape[2]
    ends = [*("xyz"[:channels] if channels <= 3 else map(str, range(channels)))]
    if scored:
        ends[-1] = "score"
    header = ",".join(f"{j}_{end}" for j in skeleton.joints for end in ends)
    numbers = np.arange(frames[0].size)
    try:
        row = ",".join(map(str, numbers))
        found = read_csv(f"{header}\n{row}".encode(), skeleton.joints)
        is_found = np.array_equal(found.ravel(), numbers)
    except DataError:
        is_found = False
    if not is_found:
        raise ValueError(
            f"Not all of the joints {', '.join(map(repr, skeleton.joints))} "
            f"would be found in a .csv file by their names: write a .npy file"
        )
    # As text, numbers have as many digits as their type.
    table = frames.reshape(len(frames), -1).astype(str)
    with replacing(path) as temporary:
        np.savetxt(
            temporary,
            table,
            fmt="%s",
            delimiter=",",
            header=header,
            comments="",
            encoding="utf-8",
        )
