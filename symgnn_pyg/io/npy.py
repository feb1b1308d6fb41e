import io
import math
import zipfile

import numpy as np

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.limits import read_entry

HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def parse_npy(content: bytes, where: str) -> np.ndarray:
    r"""The frames of a :obj:`.npy` file, of shape :math:`[T, V, C]` or
    :math:`[B, T, V, C]`. Nothing is unpickled, and nothing allocated that the
    file does not hold.

    Args:
        content: The content of the file.
        where: Its name, for messages.

    Raises:
        DataError: If it is no such file, truncated, of another number of
            dimensions, or holds anything but finite real numbers.
    """
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        shape, fortran_order, dtype = HEADERS[version](stream)
        shape = tuple(map(int, shape))
        size = math.prod(shape) * dtype.itemsize
    # The header is a Python literal, which can be wrong in many ways.
    except Exception as e:
        raise DataError(f"{where} is no .npy file that can be read: {e}") from e
    check_real(dtype, where)
    start = stream.tell()
    if not size:
        raise DataError(f"{where} holds an empty array of shape {list(shape)}")
    if size != len(content) - start or min(shape, default=0) < 0:
        raise DataError(
            f"{where} announces an array of shape {list(shape)}, {size} "
            f"bytes, but holds {len(content) - start}; it may be truncated"
        )
    if len(shape) not in (3, 4):
        raise DataError(
            f"{where} holds an array of shape {list(shape)}, expected "
            f"[T, V, C] or [B, T, V, C]"
        )
    numbers = np.frombuffer(content, dtype, offset=start)
    frames = numbers.reshape(shape, order="F" if fortran_order else "C")
    check_finite(frames, where)
    return frames if dtype.kind == "f" else frames.astype(np.float64)


def parse_npz(content: bytes, where: str) -> np.ndarray:
    r"""The frames of the one array of a :obj:`.npz` file.

    Args:
        content: The content of the file.
        where: Its name, for messages.

    Raises:
        DataError: If it is no such file, holds several arrays or none, or
            its array cannot be read.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entry = _only_entry(archive, where)
            array = read_entry(archive, entry, where)
    except DataError:
        raise
    # What a damaged archive raises depends on where the damage is.
    except Exception as e:
        raise DataError(f"{where} is no .npz file that can be read: {e}") from e
    return parse_npy(array, f"{where}, array {entry.filename}")


def _only_entry(archive: zipfile.ZipFile, where: str) -> zipfile.ZipInfo:
    entries = archive.infolist()
    if len(entries) != 1:
        names = [entry.filename.removesuffix(".npy") for entry in entries]
        raise DataError(
            f"{where} holds {len(names)} arrays ({', '.join(names[:10])}), "
            f"expected one: save each recording in a file of its own"
        )
    return entries[0]


def check_real(dtype: np.dtype, where: str) -> None:
    r"""Refuses what is no real number.

    Args:
        dtype: The type of an array.
        where: What to call the array, for messages.

    Raises:
        DataError: If its elements are complex, objects, text or records.
    """
    if dtype.kind not in "fiu":
        raise DataError(
            f"{where} has elements of type {dtype}, expected real numbers"
        )


def check_finite(frames: np.ndarray, where: str) -> None:
    r"""Refuses frames that hold what is no number.

    Args:
        frames: The frames, of shape :math:`[*, T, V, C]`.
        where: What to call them, for messages.

    Raises:
        DataError: If a number is not finite; the message names the frame.
    """
    bad = ~np.isfinite(frames)
    if bad.any():
        frame = int(np.argwhere(bad.any(axis=(-2, -1)))[0, -1])
        raise DataError(
            f"{where}: frame {frame} holds a number that is not finite"
        )
