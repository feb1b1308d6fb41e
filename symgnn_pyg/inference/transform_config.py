r"""Transforms as JSON, which can only describe those of this library."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch_geometric.transforms import Compose

from symgnn_pyg.errors import data_error
from symgnn_pyg.inference.pose_network import STEPS, Step, deterministic_steps
from symgnn_pyg.transforms import Difference, Standardize

# A limit for what a file may ask for.
MOST = 100


def transform_to_config(
    transform: Callable[..., Any] | None,
) -> list[dict[str, Any]]:
    r"""The class and the arguments of each deterministic transform in JSON
    types.
    """
    return [
        {
            "class": type(step).__name__,
            "arguments": {
                name: _to_json(getattr(step, name))
                for name in inspect.signature(type(step)).parameters
            },
        }
        for step in deterministic_steps(transform)
    ]


def transform_from_config(config: object, name: str) -> Compose | Step | None:
    r"""The inverse of :func:`transform_to_config`.

    Raises:
        DataError: If it describes no transforms.
    """
    what = "'transform' does not describe transforms of this library"
    with data_error(f"{name}: {what}"):
        if not isinstance(config, list) or len(config) > MOST:
            raise TypeError(f"it must list at most {MOST} transforms")
        steps = [_step(entry["class"], entry["arguments"]) for entry in config]
    if len(steps) > 1:
        return Compose(steps)
    return steps[0] if steps else None


def _step(name: str, arguments: dict[str, Any]) -> Step:
    if name not in STEPS:
        raise ValueError(f"expected one of {', '.join(STEPS)}, got {name!r}")
    kind = STEPS[name]
    sequence = _statistics if kind is Standardize else tuple
    given: dict[str, Any] = {
        key: sequence(value) if isinstance(value, list) else value
        for key, value in arguments.items()
    }
    step = kind(**given)
    if isinstance(step, Difference) and step.order > MOST:
        raise ValueError(f"'order' must be at most {MOST}, got {step.order}")
    return step


def _statistics(values: list[Any]) -> Tensor:
    # In double precision, single precision survives too.
    return torch.tensor(values, dtype=torch.double)


def _to_json(value: object) -> object:
    if isinstance(value, Tensor):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value
