"""A recording in any of the formats that are told apart by suffix."""

import os
from pathlib import PurePosixPath

from symgnn_pyg.errors import DataError, warn
from symgnn_pyg.io.asf_amc import ASF, read_asf_amc
from symgnn_pyg.io.bvh import read_bvh
from symgnn_pyg.io.csv import read_timed_csv
from symgnn_pyg.io.frames import as_frames, check_axes, find_zeros
from symgnn_pyg.io.joint_tree import Motion
from symgnn_pyg.io.limits import File
from symgnn_pyg.io.npy import read_npy
from symgnn_pyg.io.ntu import read_ntu
from symgnn_pyg.skeleton import Skeleton, as_skeleton

SUFFIXES = (".npy", ".npz", ".csv", ".tsv", ".bvh", ".amc", ".skeleton")
# Formats that are always read as positions.
POSITIONS = (".bvh", ".amc", ".skeleton")
# How to save other files as one of them.
CURES = {
    ".json": "name its format, such as coco or mediapipe: see symgnn_pyg.io "
    "for readers of pose estimators' files (on the command line --format)",
    ".mat": "save its array with numpy.save('clip.npy', "
    "scipy.io.loadmat(file)[name])",
    ".parquet": "save it with pandas.read_parquet(file).to_csv('clip.csv', "
    "index=False)",
    ".pkl": "a pickle can run any program, so load it only if you trust it, "
    "and save its array with numpy.save('clip.npy', array); in Python, "
    "symgnn_pyg.io.read_annotations reads those of PYSKL and MMAction2",
    ".pt": "save its tensor with numpy.save('clip.npy', torch.load(file, "
    "weights_only=True).numpy())",
    ".txt": "rename it to .csv if commas, semicolons or tabs separate its "
    "numbers; otherwise save it with numpy.save('clip.npy', "
    "numpy.loadtxt(file).reshape(T, V, C))",
    ".xlsx": "save the sheet as .csv",
}
CURES |= {".pickle": CURES[".pkl"], ".xls": CURES[".xlsx"]}
OTHER_CURE = (
    "export it as one of them (motion capture as .bvh or .csv), or see "
    "symgnn_pyg.io for readers of pose estimators' files (on the command line "
    "--format)"
)


def read_recording(
    file: File,
    name: str = "",
    skeleton: Skeleton | str | None = None,
    asf: File | ASF | None = None,
    axes: str | None = None,
    fill: bool = False,
    key: str | None = None,
    index_columns: int | None = None,
    frame_rate: float | None = None,
    kind: str = "position",
) -> Motion:
    r"""Reads a recording in the format of its suffix:
    :obj:`.npy`, :obj:`.npz`, :obj:`.csv`, :obj:`.tsv`, :obj:`.bvh`,
    :obj:`.amc` or ``.skeleton``.

    Args:
        file: The path of the file, or its content.
        name: The name of the file. (default: its path)
        skeleton: The skeleton of files that do not have one of their own:
            :obj:`.npy`, :obj:`.npz` and :obj:`.csv`. (default: :obj:`None`)
        asf: The ASF file of an :obj:`.amc` file. (default: :obj:`None`)
        axes: The order of the axes of :obj:`.npy` and :obj:`.npz` files, such
            as :obj:`"CTVM"`. (default: :obj:`"TVC"` or :obj:`"MTVC"`)
        key: The name of the array in :obj:`.npz` files of several.
            (default: :obj:`None`)
        fill: Whether to fill the gaps of :obj:`.npy`, :obj:`.npz` and
            :obj:`.csv` files, see :func:`fill_gaps`. (default: :obj:`False`)
        index_columns: The number of leading columns of :obj:`.csv` files to
            leave out, see :func:`read_csv`. (default: :obj:`None`)
        frame_rate: The frames per second to resample :obj:`.csv` files with
            uneven times to, see :func:`read_csv`. (default: :obj:`None`)
        kind: What :obj:`.npy`, :obj:`.npz` and :obj:`.csv` files hold, see
            :func:`resample_frames`. Zeros that look like padding or gaps of
            positions are noted in a warning. (default: :obj:`"position"`)

    Returns:
        The frames, in the unit of the file, the skeleton, and the frames per
        second and the unit if the file states them.

    Raises:
        DataError: If it cannot be read, or :obj:`skeleton` or :obj:`asf` is
            required.
        ValueError: If :obj:`axes` does not name each axis once.
    """
    check_axes(axes)
    if not (name or isinstance(file, bytes)):
        name = os.fspath(file)
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".bvh":
        return read_bvh(file, name)
    if suffix == ".amc":
        if asf is None:
            raise DataError(f"{name} requires 'asf', the ASF file of its body")
        return read_asf_amc(asf, file, name)
    if suffix == ".skeleton":
        return Motion(read_ntu(file, name), Skeleton.get("ntu25"))
    if suffix not in SUFFIXES:
        raise DataError(
            f"Expected a file of {', '.join(SUFFIXES)}, got {name!r}: "
            + CURES.get(suffix, OTHER_CURE)
        )
    if skeleton is None:
        raise DataError(
            f"{name} requires 'skeleton': it does not hold the bones between "
            f"its joints"
        )
    skeleton, rate, unit = as_skeleton(skeleton), None, None
    if suffix in (".csv", ".tsv"):
        frames, rate, unit = read_timed_csv(
            file,
            skeleton.joints,
            name,
            fill,
            index_columns,
            frame_rate,
            kind,
        )
        axes = None
    else:
        frames = read_npy(file, name, fill, key)
    frames = as_frames(frames, skeleton.num_joints, name, axes, fill)
    zeros = kind == "position" and find_zeros(frames, skeleton.joints)
    if zeros:
        warn(f"{name}: {zeros}")
    return Motion(frames, skeleton, rate, unit)
