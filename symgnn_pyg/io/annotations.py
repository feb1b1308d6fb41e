import io
import math
import pickle
import pickletools
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.limits import File, read_bytes
from symgnn_pyg.io.npy import check_finite, check_real

# Published annotations reach 2.5 GB.
MOST_BYTES = 2**32
# Opcodes that call or import and that plain data do not need.
REFUSED = frozenset((
    "PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4", "INST", "OBJ", "NEWOBJ",
    "NEWOBJ_EX", "NEXT_BUFFER", "READONLY_BUFFER",
))  # fmt: skip


class Annotation(NamedTuple):
    r"""A clip of a file of annotations.

    Args:
        name: Its name (:obj:`frame_dir`).
        label: The index of its class.
        frames: Its bodies, of shape :math:`[M, T, V, C]`: positions, or
            :math:`(x, y)` in pixels with the score as a third channel.
        image_size: The width and height of the image in pixels, or
            :obj:`None`.
    """

    name: str
    label: int
    frames: np.ndarray
    image_size: tuple[int, int] | None


def read_annotations(
    file: File, name: str = ""
) -> tuple[list[Annotation], dict[str, list[str]]]:
    r"""Reads a file of annotations of PYSKL and MMAction2.

    It is a pickle of a dictionary with the keys ``split`` and ``annotations``.
    Nothing but numbers, text, lists, dictionaries and arrays is unpickled, and
    nothing is called.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)

    Returns:
        The clips, and the names of those in each split.

    Raises:
        DataError: If it holds anything else; the message names the clip.

    Example:
        >>> clips, splits = read_annotations("ntu60_3danno.pkl")
        ... # doctest: +SKIP
        >>> train = [c for c in clips if c.name in set(splits["xsub_train"])]
        ... # doctest: +SKIP
        >>> SkeletonArrays(
        ...     [clip.frames for clip in train],
        ...     [clip.label for clip in train],
        ...     "ntu25",
        ... )  # doctest: +SKIP
    """
    content, name = read_bytes(file, name, MOST_BYTES)
    document = unpickle(content, name)
    entries = document
    splits: dict[str, list[str]] = {}
    if isinstance(document, dict):
        entries = document.get("annotations")
        given = document.get("split", {})
        for split, names in given.items() if isinstance(given, dict) else ():
            if not isinstance(names, list | tuple) or not all(
                isinstance(clip, str) for clip in names
            ):
                raise DataError(
                    f"{name}: split {split!r} must be a list of names"
                )
            splits[str(split)] = list(names)
    if not isinstance(entries, list | tuple):
        raise DataError(
            f"{name}: expected a list of annotations, got "
            f"{type(entries).__name__}"
        )
    found = [
        _annotation(entry, f"{name}, annotations[{i}]")
        for i, entry in enumerate(entries)
    ]
    return found, splits


def read_labels(file: File, name: str = "") -> tuple[list[str], list[int]]:
    r"""Reads a file of labels in the format of ST-GCN, such as
    :obj:`train_label.pkl`: a pickle of the names of the clips and of their
    labels. It belongs to an array such as :obj:`train_data_joint.npy`.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)

    Returns:
        The name and the label of each clip.

    Raises:
        DataError: If it holds anything else.

    Example:
        >>> names, labels = read_labels("train_label.pkl")  # doctest: +SKIP
        >>> arrays = np.load("train_data_joint.npy", mmap_mode="r")
        ... # doctest: +SKIP
        >>> SkeletonArrays(arrays, labels, "ntu25", axes="NCTVM")
        ... # doctest: +SKIP
    """
    content, name = read_bytes(file, name)
    document = unpickle(content, name)
    if isinstance(document, list | tuple) and len(document) == 2:
        names, labels = (_list(part) for part in document)
        if (
            len(names) == len(labels)
            and all(isinstance(clip, str) for clip in names)
            and all(type(label) is int for label in labels)
        ):
            return names, labels
    raise DataError(
        f"{name}: expected the names and the integer labels of the clips, two "
        f"lists of the same length"
    )


def unpickle(content: bytes, name: str) -> Any:
    r"""Unpickles numbers, text, lists, dictionaries and NumPy arrays of real
    numbers, and nothing else.
    """
    try:
        size = len(content)
        for opcode, argument, place in pickletools.genops(content):
            if opcode.name in REFUSED:
                raise pickle.UnpicklingError(
                    f"byte {place}: {opcode.name} is not plain data"
                )
            # The unpickler allocates as many memo entries as the index says.
            if opcode.name.endswith("PUT") and (argument or 0) > size:
                raise pickle.UnpicklingError(f"byte {place}: memo {argument}")
        return _Unpickler(io.BytesIO(content)).load()
    # What a damaged pickle raises depends on where the damage is.
    except Exception as e:
        raise DataError(
            f"{name} is not a pickle of plain data and arrays: {e}"
        ) from e


class _Dtype:
    """Stands for a type of NumPy while it is unpickled."""

    def __init__(self, kind: str = "", *_: object) -> None:
        self.kind = kind
        self.order: Any = "="

    def __setstate__(self, state: Sequence[Any]) -> None:
        self.order = state[1]

    def get(self) -> np.dtype:
        dtype = np.dtype(self.kind)
        check_real(dtype, "an array")
        return dtype.newbyteorder(self.order)


class _Array:
    """Stands for an array of NumPy while it is unpickled, which allocates
    nothing that the file does not hold.
    """

    def __init__(self, *_: object) -> None:
        self.value: np.ndarray | None = None

    def __setstate__(self, state: Sequence[Any]) -> None:
        _, shape, dtype, fortran_order, raw = state
        self.fill(raw, dtype, shape, "F" if fortran_order else "C")

    def fill(
        self, raw: Any, dtype: "_Dtype", shape: Sequence[int], order: str
    ) -> "_Array":
        numbers = np.frombuffer(bytes(raw), dtype.get())
        if math.prod(shape) != numbers.size or min(shape, default=0) < 0:
            raise pickle.UnpicklingError(
                f"an array announces the shape {list(shape)}, but holds "
                f"{numbers.size} numbers"
            )
        self.value = numbers.reshape(
            tuple(shape), order="F" if order == "F" else "C"
        )
        return self


def _from_buffer(
    raw: Any, dtype: _Dtype, shape: Sequence[int], order: str
) -> _Array:
    return _Array().fill(raw, dtype, shape, order)


def _scalar(dtype: _Dtype, raw: bytes) -> float | int:
    (number,) = np.frombuffer(raw, dtype.get())
    return number.item()


def _encode(text: str, encoding: str) -> bytes:
    # How old protocols write bytes.
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"the encoding {encoding!r}")
    return text.encode("latin1")


KNOWN = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    **{
        (f"numpy.{core}.{module}", name): known
        for core in ("core", "_core")
        for module, name, known in (
            ("multiarray", "_reconstruct", _Array),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _from_buffer),
        )
    },
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in KNOWN:
            raise pickle.UnpicklingError(
                f"it would import {module}.{name}, which is not plain data"
            )
        known = KNOWN[module, name]
        # A pickle may set attributes of what it finds: give it a copy.
        return known if isinstance(known, type) else partial(known)


def _annotation(entry: Any, at: str) -> Annotation:
    if not isinstance(entry, dict):
        raise DataError(f"{at}: expected a dictionary")
    name = entry.get("frame_dir", entry.get("filename"))
    label = entry.get("label")
    frames = entry.get("keypoint")
    if not isinstance(name, str) or type(label) is not int or label < 0:
        raise DataError(
            f"{at}: expected 'frame_dir' to be a name and 'label' a whole "
            f"number, got {name!r:.100} and {label!r:.20}"
        )
    at = f"{at} ({name:.100})"
    keypoint = _array(frames, at, "keypoint")
    alone = keypoint.ndim == 3
    if alone:
        keypoint = keypoint[None]
    if keypoint.ndim != 4 or not keypoint.size:
        raise DataError(
            f"{at}: expected 'keypoint' of shape [M, T, V, C], got "
            f"{list(keypoint.shape)}"
        )
    if "keypoint_score" in entry:
        score = _array(entry["keypoint_score"], at, "keypoint_score")
        if alone and score.shape[:2] == keypoint.shape[1:3]:
            score = score[None]
        score = score.reshape(score.shape + (1,) * (4 - score.ndim))
        if score.shape[:-1] != keypoint.shape[:-1]:
            raise DataError(
                f"{at}: expected 'keypoint_score' of shape "
                f"{list(keypoint.shape[:-1])}, got {list(score.shape)}"
            )
        keypoint = np.concatenate([keypoint[..., :2], score], axis=-1)
    check_finite(keypoint, at)
    size = entry.get("img_shape")
    image_size = None
    if isinstance(size, list | tuple) and len(size) >= 2:
        if not all(type(side) is int and side > 0 for side in size[:2]):
            raise DataError(f"{at}: expected 'img_shape' (height, width)")
        image_size = size[1], size[0]
    return Annotation(name, label, keypoint, image_size)


def _array(value: Any, at: str, key: str) -> np.ndarray:
    if not isinstance(value, _Array) or value.value is None:
        raise DataError(f"{at}: expected {key!r} to be an array")
    numbers = value.value
    # Halves overflow when pixels are added up.
    return numbers.astype(np.float64 if numbers.itemsize > 4 else np.float32)


def _list(value: Any) -> list[Any]:
    if isinstance(value, _Array) and value.value is not None:
        return value.value.tolist()
    return list(value) if isinstance(value, list | tuple) else []
