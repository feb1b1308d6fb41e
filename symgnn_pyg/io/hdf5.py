"""HDF5 files: only plain arrays within the file itself are read."""

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from symgnn_pyg.errors import DAMAGE, DataError, check_names
from symgnn_pyg.io.limits import MOST_BYTES, check_size

SIGNATURE = b"\x89HDF\r\n\x1a\n"
NUMBERS = (h5py.h5t.FLOAT, h5py.h5t.INTEGER)
FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE}
# The most that deflate can make of a byte.
MOST_EXPANSION = 1032


@contextmanager
def opened(file: Path | io.BytesIO, fault: str) -> Iterator[h5py.File]:
    r"""Opens an HDF5 file.

    Raises:
        DataError: If the file is found to be damaged here or in the block; the
            message begins with :obj:`fault`.
    """
    try:
        with h5py.File(file, "r", locking=False) as archive:
            yield archive
    except DataError:
        raise
    except (*DAMAGE, EOFError) as e:
        raise DataError(f"{fault}: {e}") from e


def plain_array(
    file: h5py.File, key: str, where: object, classes: Sequence[int] = NUMBERS
) -> h5py.Dataset:
    r"""An array that lies in the file itself, not yet read.

    Raises:
        DataError: If there is none, it is a link, or it holds anything else.
    """
    # Links and foreign layouts can reach other files of this machine.
    if not isinstance(file.get(key, getlink=True), h5py.HardLink):
        raise DataError(f"{where}: {key!r} is missing or a link")
    array = file[key]
    if (
        not isinstance(array, h5py.Dataset)
        # Before h5py makes types within types, which take all memory.
        or array.id.get_type().get_class() not in classes
        or array.is_virtual
        or array.external
    ):
        raise DataError(f"{where}: {key!r} is not a plain array")
    return array


def read_array(file: h5py.File, key: str, name: str) -> np.ndarray:
    r"""Reads an array of numbers of at most 256 MiB."""
    array = plain_array(file, key, name)
    _check_storage(array, f"{name}: {key!r}")
    return np.asarray(array[()])


def read_names(file: h5py.File, key: str, name: str) -> list[str]:
    r"""Reads a list of different names, of a fixed length in bytes."""
    # The type of an empty list may be that of numbers.
    array = plain_array(file, key, name, (*NUMBERS, h5py.h5t.STRING))
    what = f"{name}: {key!r}"
    if 0 in array.shape:
        return []
    kind = array.id.get_type()
    if (
        array.ndim != 1
        or kind.get_class() != h5py.h5t.STRING
        # HDF5 may search a damaged file forever for text of any length.
        or kind.is_variable_str()
    ):
        raise DataError(f"{what} is not a list of names of a fixed length")
    _check_storage(array, what)
    names = [text.decode(errors="replace") for text in array[()].tolist()]
    check_names(names, f"{what}: the name")
    if len(set(names)) != len(names):
        raise DataError(f"{what} holds a name twice")
    return names


def _check_storage(array: h5py.Dataset, what: str) -> None:
    created = array.id.get_create_plist()
    filters = {created.get_filter(i)[0] for i in range(created.get_nfilters())}
    if not filters <= FILTERS:
        raise DataError(
            f"{what} is compressed by a method that is not supported; use gzip"
        )
    width = array.id.get_type().get_size()
    size = math.prod(array.shape) * width
    chunk = math.prod(array.chunks or ()) * width
    check_size(max(size, chunk), what, MOST_BYTES)
    stored = array.id.get_storage_size()
    if size > stored * (MOST_EXPANSION if filters else 1):
        raise DataError(
            f"{what} declares more data than the file holds; it is truncated"
        )
