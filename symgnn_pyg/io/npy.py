import io
import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.limits import File, read_bytes, read_entry

HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
ZIP = b"PK"
# What arrays with another number of dimensions probably are.
HINTS = {
    2: "; if each row holds the joints of a frame, save "
    "array.reshape(len(array), V, -1)",
    5: "; an array of many recordings is for SkeletonArrays",
}


def read_npy(
    file: File,
    name: str = "",
    allow_missing: bool = False,
    key: str | None = None,
) -> np.ndarray:
    r"""Reads a recording from a :obj:`.npy` file, or one array of a
    :obj:`.npz` file. Nothing is unpickled, and no more memory is allocated
    than the file announces and holds.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)
        allow_missing: If set to :obj:`True`, numbers may be NaN, for
            :func:`fill_gaps`. (default: :obj:`False`)
        key: The name of the array in a :obj:`.npz` file of several.
            (default: :obj:`None`)

    Returns:
        The frames, of shape :math:`[T, V, C]` or :math:`[M, T, V, C]`.

    Raises:
        DataError: If it is not such a file, is truncated, has another number
            of dimensions or several arrays, or holds anything but finite real
            numbers.
    """
    content, name = read_bytes(file, name)
    if content.startswith(ZIP):
        with _opened(content, name) as archive:
            content, name = _entry(archive, key, name)
    frames = read_array(content, name)
    if frames.ndim not in (3, 4):
        raise DataError(
            f"{name} holds an array of shape {list(frames.shape)}, expected "
            f"[T, V, C] or [M, T, V, C]" + HINTS.get(frames.ndim, "")
        )
    if not allow_missing:
        check_finite(frames, name)
    return frames


def read_array(content: bytes, name: str) -> np.ndarray:
    r"""Reads a :obj:`.npy` file of real numbers, of any shape; integers become
    floating-point numbers.
    """
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        shape, fortran_order, dtype = HEADERS[version](stream)
        shape = tuple(map(int, shape))
        size = math.prod(shape) * dtype.itemsize
    # The header is a Python literal, which can be wrong in many ways.
    except Exception as e:
        raise DataError(f"{name} is not a readable .npy file: {e}") from e
    check_real(dtype, name)
    start = stream.tell()
    if not size:
        raise DataError(f"{name} holds an empty array of shape {list(shape)}")
    if size != len(content) - start or min(shape, default=0) < 0:
        raise DataError(
            f"{name} announces an array of shape {list(shape)}, {size} "
            f"bytes, but holds {len(content) - start}; it may be truncated"
        )
    numbers = np.frombuffer(content, dtype, offset=start)
    if dtype.kind != "f":
        numbers = numbers.astype(np.float64)
    return numbers.reshape(shape, order="F" if fortran_order else "C")


def read_arrays(
    file: File, keys: Sequence[str], name: str = ""
) -> tuple[dict[str, np.ndarray], str]:
    r"""Reads those of the named arrays that a :obj:`.npz` file holds, and
    returns them with the name of the file.
    """
    content, name = read_bytes(file, name)
    with _opened(content, name) as archive:
        known = _names(archive)
        arrays = {
            key: read_array(*_entry(archive, key, name))
            for key in keys
            if key in known
        }
    return arrays, name


def _names(archive: zipfile.ZipFile) -> list[str]:
    return [entry.removesuffix(".npy") for entry in archive.namelist()]


def _entry(
    archive: zipfile.ZipFile, key: str | None, name: str
) -> tuple[bytes, str]:
    """The content and the name of one array."""
    names = _names(archive)
    if key is None and len(names) != 1:
        raise DataError(
            f"{name} holds {len(names)} arrays ({', '.join(names[:10])}), "
            f"expected one: pass the 'key' of the one to read"
            + ", or use read_amass for AMASS files"
            * ("poses" in names)
        )
    if key is not None and key not in names:
        raise DataError(
            f"{name} holds no array {key!r}, but {', '.join(names[:10])}"
        )
    place = 0 if key is None else names.index(key)
    array = read_entry(archive, archive.infolist()[place], name)
    return array, f"{name}, array {names[place]}"


@contextmanager
def _opened(content: bytes, name: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield archive
    except DataError:
        raise
    # What a damaged archive raises depends on where the damage is.
    except Exception as e:
        raise DataError(f"{name} is not a readable .npz file: {e}") from e


def check_real(dtype: np.dtype, name: str) -> None:
    r"""Refuses arrays of complex numbers, objects, text or records."""
    if dtype.kind not in "fiu":
        raise DataError(
            f"{name} has elements of type {dtype}, expected real numbers"
        )


def check_finite(frames: np.ndarray, name: str) -> None:
    r"""Refuses numbers that are not finite, naming the frame."""
    bad = ~np.isfinite(frames)
    if bad.any():
        frame = int(np.argwhere(bad.any(axis=(-2, -1)))[0, -1])
        raise DataError(
            f"{name}: frame {frame} holds a number that is not finite"
            + "; pass fill_gaps=True to interpolate missing joints"
            * bool(np.isnan(frames).any())
        )
