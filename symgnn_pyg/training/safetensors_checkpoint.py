import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning.pytorch.plugins.io import CheckpointIO
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from symgnn_pyg.errors import DataError
from symgnn_pyg.files import remove_leftovers, replacing

PLAIN = (str, int, float, bool, type(None))


class SafetensorsCheckpoint(CheckpointIO):
    r"""Keeps the checkpoints of a :class:`lightning.pytorch.Trainer`, with
    weights, optimiser, schedule and progress, in one safetensors file each:
    tensors as they are, all else as JSON in its header. Reading one runs no
    code, and a process that is killed while it writes leaves the file that was
    there before.
    """

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: str | os.PathLike[str],
        storage_options: Any = None,
    ) -> None:
        r"""Writes a checkpoint.

        Args:
            checkpoint: What the trainer wants to keep.
            path: The file.
            storage_options: Not supported.

        Raises:
            TypeError: If something is neither tensor nor plain, the message
                says where it lies; or if there are storage options.
            OSError: If the file cannot be written, as on a full disk.
        """
        if storage_options is not None:
            raise TypeError("'storage_options' are not supported")
        tensors: dict[str, Tensor] = {}
        tree = json.dumps(_encode(checkpoint, "checkpoint", tensors))
        path = Path(path)
        remove_leftovers(path)
        try:
            with replacing(path) as temporary:
                save_file(tensors, temporary, {"tree": tree})
        except SafetensorError as error:
            raise OSError(f"{path} could not be written: {error}") from error

    def load_checkpoint(
        self,
        path: str | os.PathLike[str],
        map_location: Any = None,
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        r"""Reads a checkpoint.

        Args:
            path: The file.
            map_location: Not needed: tensors come on the CPU, and the trainer
                places them.
            weights_only: Not needed: no file is ever unpickled.

        Raises:
            DataError: If the file is no checkpoint.
        """
        try:
            with safe_open(path, "pt") as file:
                tree = json.loads((file.metadata() or {})["tree"])
                return _decode(tree, file.get_tensor)
        except FileNotFoundError:
            raise
        except Exception as error:
            raise DataError(f"{path} is no checkpoint: {error}") from error

    def remove_checkpoint(self, path: str | os.PathLike[str]) -> None:
        r"""Removes a checkpoint.

        Args:
            path: The file.
        """
        Path(path).unlink(missing_ok=True)


def _encode(value: Any, where: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        # A copy, since safetensors refuses memory that is shared.
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().clone().contiguous()
        return {"tensor": name}
    if isinstance(value, dict):
        return {
            "dict": [
                [key, _encode(entry, f"{where}.{key}", tensors)]
                for key, entry in value.items()
            ]
        }
    if type(value) in (list, tuple):
        return {
            type(value).__name__: [
                _encode(entry, f"{where}.{i}", tensors)
                for i, entry in enumerate(value)
            ]
        }
    if type(value) in PLAIN:
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{where} is a {type(value)}, which no checkpoint can hold")


def _decode(tree: Any, tensor: Callable[[str], Tensor]) -> Any:
    if not isinstance(tree, dict):
        return tree
    ((kind, value),) = tree.items()
    if kind == "tensor":
        return tensor(value)
    if kind == "dict":
        return {key: _decode(entry, tensor) for key, entry in value}
    entries = [_decode(entry, tensor) for entry in value]
    return {"tuple": tuple, "list": list}[kind](entries)
