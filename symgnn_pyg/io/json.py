"""JSON documents and the checks of their fields."""

import json
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

import numpy as np

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.limits import File, read_bytes

# A parsed document takes about twenty times its size in memory.
MOST_BYTES = 2**24
LARGEST = float(np.finfo(np.float32).max)
KINDS = {
    bool: "true or false",
    int: "a whole number",
    list: "a list",
    str: "a string",
}
T = TypeVar("T")


def read_json(
    file: File, name: str = "", most: int = MOST_BYTES
) -> tuple[Any, str]:
    r"""Reads a JSON document, and returns it with its name for messages."""
    content, name = read_bytes(file, name, most)
    try:
        return json.loads(content, parse_constant=_refuse), name
    except RecursionError:
        raise DataError(f"{name} is nested too deeply") from None
    except ValueError as e:
        raise DataError(f"{name} is not a JSON document: {e}") from e


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")


def field(entry: Any, key: str, kind: type[T], at: str) -> T:
    r"""The value of a key in a JSON object, which must be of that type."""
    value = entry.get(key) if isinstance(entry, dict) else None
    # Not isinstance: in Python, True is an int.
    if type(value) is not kind:
        raise DataError(f"{at}: {key!r} must be {KINDS[kind]}")
    return value


def numbers(entry: Any, key: str, length: int, at: str) -> np.ndarray:
    r"""The list of finite numbers under a key in a JSON object."""
    values = field(entry, key, list, at)
    if len(values) == length and {int, float}.issuperset(map(type, values)):
        with suppress(OverflowError):
            found = np.array(values, float)
            if (abs(found) <= LARGEST).all():
                return found
    raise DataError(f"{at}: {key!r} must be {length} finite numbers")


def scored_joints(entry: Any, key: str, at: str) -> np.ndarray:
    r"""The joints :math:`(x, y, \textrm{score})` in a list of numbers under a
    key in a JSON object, of shape :math:`[V, 3]`, all 0 where the score is.
    """
    count = len(field(entry, key, list, at))
    values = numbers(entry, key, count, at)
    if count % 3:
        raise DataError(
            f"{at}: expected x, y and score of each joint, got {count} numbers"
        )
    joints = values.reshape(-1, 3)
    joints[joints[:, 2] <= 0] = 0.0
    return joints
