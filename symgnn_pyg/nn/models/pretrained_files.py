"""The files of a saved network: where they are and what they may hold."""

import json
import os
from collections.abc import Mapping, Sized
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch.nn import Module

import symgnn_pyg
from symgnn_pyg import __version__
from symgnn_pyg.deprecated import HEAD_MODULES
from symgnn_pyg.errors import DataError, check_names, data_error
from symgnn_pyg.files import resolved

CONFIG, WEIGHTS = "config.json", "model.safetensors"
SHIPPED = Path(symgnn_pyg.__file__).parent / "weights"
# Limits for arguments that would take long to build a network from, before its
# weights can be checked.
MOST = {"joints": 1000, "channels": 100, "strides": 100, "fusion": 100,
        "orders": 100, "num_hops": 100, "num_iterations": 100,
        "num_blocks": 100, "num_recent": 5000, "num_future": 5000,
        "num_observed": 100_000, "models": 100}  # fmt: skip
# The most bytes, beyond four times the size of the file, of buffers that are
# not saved with the weights.
MOST_BUFFERS = 2**28


def rename_weights(state: dict[str, Any], prefix: str = "") -> None:
    r"""Renames the weights of a network of version 0.1 in place."""
    for old, new in HEAD_MODULES.items():
        for name in [n for n in state if n.startswith(f"{prefix}{old}.")]:
            renamed = prefix + new + name.removeprefix(prefix + old)
            state[renamed] = state.pop(name)


def pretrained_names() -> list[str]:
    r"""The names of the weights that come with the library."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{CONFIG}"))


def pretrained_folder(
    name: str | os.PathLike[str],
    revision: str | None = None,
    subfolder: str | None = None,
) -> Path:
    r"""The folder of a network; see :meth:`Pretrained.from_pretrained`."""
    folder = resolved(name)
    if folder.is_dir():
        return folder / (subfolder or "")
    if str(name) in pretrained_names():
        return SHIPPED / name / (subfolder or "")
    parts = str(name).split("/")
    if len(parts) != 2 or not all(parts):
        raise FileNotFoundError(
            f"There is no folder {name}; expected a folder, the name of "
            f"weights that come with the library "
            f"({', '.join(pretrained_names())}), or an id OWNER/NAME of the "
            f"Hugging Face Hub"
        )
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise FileNotFoundError(
            f"There is no folder {name}; to load {str(name)!r} from the "
            f"Hugging Face Hub, run 'pip install huggingface_hub'"
        ) from error
    for file in (WEIGHTS, CONFIG):
        path = hf_hub_download(
            str(name), file, subfolder=subfolder, revision=revision
        )
    return Path(path).parent


def read_config(path: Path) -> dict[str, Any]:
    r"""The description of a network, of which only the version is checked."""
    _check_file(path)
    with data_error(f"{path} does not describe a network"):
        config = json.loads(path.read_text())
        version = _version(str(config["library_version"]))
        if not isinstance(config["class"], str):
            raise TypeError(f"'class' must be a name, got {config['class']!r}")
    if version > _version(__version__):
        raise DataError(
            f"{path} was saved by symgnn_pyg {config['library_version']}, "
            f"which is newer than the installed {__version__}; upgrade "
            f"symgnn_pyg"
        )
    return config


def _check_file(path: Path) -> None:
    # Opening a pipe would wait, and reading a device never end.
    if not path.is_file():
        # Training saves its network in a subfolder.
        within = sorted(path.parent.glob(f"*/{path.name}"))
        raise FileNotFoundError(
            f"There is no file {path}"
            + "".join(f"; did you mean {p.parent}?" for p in within[:1])
        )


def to_json(value: object) -> Any:
    r"""Arrays, tensors, their elements and ranges in JSON types."""
    if isinstance(value, (np.ndarray, np.generic, torch.Tensor)):
        return value.tolist()
    if isinstance(value, range):
        return list(value)
    raise TypeError(
        f"Expected values that JSON can hold, such as numbers, text, lists and "
        f"dictionaries of them, got {type(value).__name__}"
    )


def check_cost(arguments: Mapping[str, Any]) -> None:
    r"""Checks the arguments of a network against limits."""
    for name, value in arguments.items():
        if name in ("joint", "bone", "model", "skeleton"):
            check_cost(value)
        if name == "models":
            for network in value:
                check_cost(network)
        if name == "channels" and isinstance(value, int):
            continue  # The only width, not one per block.
        cost = len(value) if isinstance(value, Sized) else value
        if name in MOST and not cost <= MOST[name]:
            raise ValueError(
                f"{name!r} must be at most {MOST[name]}, got {cost}"
            )


def check_classes(classes: object) -> None:
    r"""Checks that names of classes have no control characters."""
    if isinstance(classes, list):
        names = [name for name in classes if isinstance(name, str)]
        check_names(names, "The class")


def check_weights(path: Path, outline: Module) -> None:
    r"""Checks that a file holds the weights of a network, without reading
    them.

    Args:
        path: The file.
        outline: The network, on the device :obj:`"meta"`.

    Raises:
        DataError: If it does not.
        FileNotFoundError: If there is no such file.
    """
    _check_file(path)
    try:
        with safe_open(path, "pt") as file:
            held = {
                name: tuple(file.get_slice(name).get_shape())
                for name in file.keys()  # noqa: SIM118
            }
    except (OSError, SafetensorError, ValueError) as error:
        raise DataError(
            f"Expected weights in safetensors format in {path}: {error}"
        ) from error
    for prefix in ("", "joint.", "bone."):
        rename_weights(held, prefix)
    expected = {
        name: tuple(t.shape) for name, t in outline.state_dict().items()
    }
    if held != expected:
        differing = dict(sorted(held.items() ^ expected.items()))
        raise DataError(
            f"{path} does not fit the network: {len(differing)} weights are "
            f"missing, unknown or have another shape, starting with "
            f"{', '.join([*differing][:5])}"
        )
    buffers = sum(
        buffer.nbytes
        for name, buffer in outline.named_buffers()
        if name not in expected
    )
    if buffers > MOST_BUFFERS + 4 * path.stat().st_size:
        raise DataError(
            f"{path} does not fit the network, which needs {buffers} bytes "
            f"in addition to its weights"
        )


def _version(text: str) -> tuple[int, int]:
    major, minor, *_ = text.split(".")
    return int(major), int(minor)
