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
    r"""Saves each checkpoint of a :class:`lightning.pytorch.Trainer` (weights,
    optimiser, schedule and progress) in a single safetensors file: tensors
    unchanged, everything else as JSON in the header. Loading a checkpoint runs
    no code, and killing a process while it saves leaves the previous file
    intact.
    """

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: str | os.PathLike[str],
        storage_options: Any = None,
    ) -> None:
        r"""Writes a checkpoint.

        Args:
            checkpoint: The checkpoint of the trainer.
            path: The file.
            storage_options: Not supported.

        Raises:
            TypeError: If a value can be stored neither as a tensor nor as
                JSON (the message says which), or if there are storage options.
            OSError: If the file cannot be written, as on a full disk.
        """
        if storage_options is not None:
            raise TypeError(
                f"'storage_options' must be None, got {storage_options!r}"
            )
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
            map_location: Ignored, since the trainer moves tensors from the
                CPU.
            weights_only: Ignored, since no file is unpickled.

        Raises:
            DataError: If the file is not a valid checkpoint.
        """
        try:
            with safe_open(path, "pt") as file:
                tree = json.loads((file.metadata() or {})["tree"])
                return _decode(tree, file.get_tensor)
        except FileNotFoundError:
            raise
        except Exception as error:
            raise DataError(
                f"Expected {path} to be a checkpoint that "
                f"SafetensorsCheckpoint saved: {error}"
            ) from error

    def remove_checkpoint(self, path: str | os.PathLike[str]) -> None:
        r"""Removes a checkpoint.

        Args:
            path: The file.
        """
        Path(path).unlink(missing_ok=True)


def _encode(value: Any, where: str, tensors: dict[str, Tensor]) -> Any:
    def entry(key: object, value: Any) -> Any:
        return _encode(value, f"{where}.{key}", tensors)

    if isinstance(value, Tensor):
        # A copy, since safetensors rejects tensors that share memory.
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().clone().contiguous()
        return {"tensor": name}
    if isinstance(value, dict):
        return {"dict": [[k, entry(k, v)] for k, v in value.items()]}
    if type(value) in (list, tuple):
        return {
            type(value).__name__: [entry(*each) for each in enumerate(value)]
        }
    if type(value) in PLAIN:
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(
        f"{where} must be a tensor, number, string, path, list, tuple or dict "
        f"to be saved in a checkpoint, got {type(value)}"
    )


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
