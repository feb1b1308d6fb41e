r"""The transforms that a :class:`PoseModel` repeats on raw windows and undoes
in predictions, and their description in JSON types, which can only describe
those of this library.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_args

import torch
from torch import Tensor
from torch_geometric.transforms import Compose

from symgnn_pyg.errors import data_error
from symgnn_pyg.transforms import (
    Center,
    Difference,
    NormalizeView,
    Resample,
    Standardize,
    ToBones,
    UniformSample,
    steps_of,
)

Step = (
    Center
    | Difference
    | NormalizeView
    | Resample
    | Standardize
    | ToBones
    | UniformSample
)
STEPS: dict[str, type[Step]] = {kind.__name__: kind for kind in get_args(Step)}
# A limit for what a file may ask for.
MOST = 100


def deterministic_steps(transform: Callable[..., Any] | None) -> list[Step]:
    r"""The steps of a transform, all of which can be repeated and undone."""
    steps = steps_of(transform)
    for step in steps:
        if type(step) not in STEPS.values():
            raise ValueError(
                f"Expected 'transform' to consist of {', '.join(STEPS)}, which "
                f"can be repeated on raw windows and undone in predictions, "
                f"got {step}; leave it out if it only augments or shortens "
                f"the training data"
            )
        if isinstance(step, UniformSample) and step.random:
            raise ValueError(
                f"Expected UniformSample({step.num_frames}, random=False) in "
                f"'transform', which always samples the same frames, got {step}"
            )
    return steps  # type: ignore[return-value]


def step_to_config(step: Step) -> dict[str, Any]:
    r"""The class and the arguments of a step in JSON types."""
    arguments = {}
    for name in inspect.signature(type(step)).parameters:
        value = getattr(step, name)
        arguments[name] = value.tolist() if isinstance(value, Tensor) else value
    return {"class": type(step).__name__, "arguments": arguments}


def step_from_config(config: Mapping[str, Any]) -> Step:
    r"""The inverse of :func:`step_to_config`."""
    name, arguments = config["class"], config["arguments"]
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


def saved_transform(about: Mapping[str, Any]) -> Compose | Step | None:
    r"""The transform in the further entries of a saved network."""
    what = "'transform' does not describe transforms of this library"
    config = about.get("transform", [])
    # Models saved by version 0.1 hold statistics instead of a transform.
    old = {name: about[name] for name in ("mean", "std") if name in about}
    if old and "transform" not in about:
        what = "'mean' and 'std' must be tables of numbers"
        config = [{"class": "Standardize", "arguments": old}]
    with data_error(what):
        if not isinstance(config, list) or len(config) > MOST:
            raise TypeError(f"it must list at most {MOST} transforms")
        steps = [*map(step_from_config, config)]
    if len(steps) > 1:
        return Compose(steps)
    return steps[0] if steps else None


def _statistics(values: list[Any]) -> Tensor:
    # In double precision, single precision survives too.
    return torch.tensor(values, dtype=torch.double, device="cpu")
