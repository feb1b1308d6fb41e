r"""Old names, which work with a :class:`DeprecationWarning` until the version
that removes them. Each is one line of the tables below.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from torch.nn import Module

from symgnn_pyg.errors import warn

REMOVED_IN = "0.3"

# Arguments of functions and classes, and of networks in files.
ARGUMENTS = {
    "observed": "num_observed",
    "future": "num_future",
    "structural": "use_structural",
    "actional": "use_actional",
    "part": "use_parts",
    "store": "path",
    "prediction_loss": "prediction_criterion",
}
# Flags that left out a head, as a size of 0 does now.
HEADS = {"recognition": "num_classes", "prediction": "num_future"}
# The modules of SymGNN.
HEAD_MODULES = {
    "actional": "actional_inference",
    "recognition": "recognition_head",
    "prediction": "prediction_head",
}
ATTRIBUTES = {
    "datasets.MotionDataset.observed": "num_observed",
    "datasets.MotionDataset.future": "num_future",
    "nn.JointGraphConv.structural": "use_structural",
    "nn.JointGraphConv.actional": "use_actional",
    "nn.PredictionHead.future": "num_future",
    "nn.SymGNN.observed": "num_observed",
    **{f"nn.SymGNN.{old}": new for old, new in HEAD_MODULES.items()},
    "nn.SymbioticLoss.prediction_loss": "prediction_criterion",
    "nn.SymbioticLossOutput.recognition": "recognition_loss",
    "nn.SymbioticLossOutput.prediction": "prediction_loss",
}
# Functions and classes that moved or have another name.
MOVED = {
    "datasets.EmptyRecordingError": "errors.EmptyRecordingError",
    "datasets.Recording": "data.Recording",
    "datasets.Source": "io.Source",
    "datasets.prepare": "data.prepare",
    "export.export_onnx": "inference.export_onnx",
    "export.export_program": "inference.export_program",
    "streaming.OnWindows": "inference.PoseNetwork",
    "streaming.Stream": "inference.Stream",
    "streaming.StreamOutput": "inference.StreamOutput",
    "streaming.fold": "inference.fold",
    "transforms.cmu_positions": "skeleton.cmu_positions",
    "transforms.convert_rotation": "skeleton.convert_rotation",
    "transforms.euler_to_rotmat": "skeleton.euler_to_rotmat",
    "transforms.forward_kinematics": "skeleton.forward_kinematics",
    "transforms.interpolate_frames": "ops.interpolate_frames",
    "transforms.mirrored_joints": "skeleton.mirrored_joints",
    "transforms.rotmat_to_euler": "skeleton.rotmat_to_euler",
}


def warn_of(old: str, new: str) -> None:
    r"""Warns of an old name."""
    text = f"{old} is deprecated and will be removed in version {REMOVED_IN}"
    warn(f"{text}; use {new}", DeprecationWarning)


def current_arguments(
    arguments: Mapping[str, Any],
    title: str = "",
    renamed: Mapping[str, str] = ARGUMENTS,
    heads: Mapping[str, str] = HEADS,
) -> dict[str, Any]:
    r"""Arguments under their current names, with warnings if what takes them,
    the :obj:`title`, is given.

    Raises:
        TypeError: If an argument is given under both names.
    """
    current = dict(arguments)
    for old, new in {**renamed, **heads}.items():
        if old not in current:
            continue
        value, instead = current.pop(old), repr(new)
        if old in heads:
            instead = f"{new}=0 for no such head"
            if not value:
                current[new] = 0
        elif new in current:
            raise TypeError(
                f"Expected {new!r} of {title or 'a network'} once, got it "
                f"also under its old name {old!r}"
            )
        else:
            current[new] = value
        if title:
            warn_of(f"{old!r} of {title}", instead)
    return current


def accept_old_names(module: dict[str, Any]) -> None:
    r"""Makes the public classes and functions of a module take old arguments,
    and the classes have old attributes. Signatures stay the same.
    """
    for name in module["__all__"]:
        value = module[name]
        if inspect.isclass(value):
            value.__init__ = _accepting(name, value.__init__)  # type: ignore[method-assign]
        elif callable(value):
            module[name] = _accepting(name, value)
    for full, new in ATTRIBUTES.items():
        package, name, old = full.split(".")
        if module["__name__"] == f"symgnn_pyg.{package}":
            setattr(module[name], old, _attribute(f"{name}.{old}", new))
            if issubclass(module[name], Module):
                _use_properties(module[name])


def moved(module: str) -> Callable[[str], Any]:
    r"""The :meth:`__getattr__` of a module that finds what moved from it."""

    def find(name: str) -> Any:
        new = MOVED.get(f"{module.removeprefix('symgnn_pyg.')}.{name}")
        if new is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn_of(f"{module}.{name}", f"symgnn_pyg.{new}")
        path, _, name = new.rpartition(".")
        return getattr(import_module(f"symgnn_pyg.{path}"), name)

    return find


def _accepting(title: str, function: Callable[..., Any]) -> Callable[..., Any]:
    names = [*inspect.signature(function).parameters]
    renamed = {
        old: new
        for old, new in ARGUMENTS.items()
        if new in names and old not in names
    }
    heads = HEADS if title == "SymGNN" else {}

    @functools.wraps(function)
    def accepting(*args: Any, **kwargs: Any) -> Any:
        if heads.keys() & kwargs.keys():
            # A flag may replace what was given by position.
            kwargs |= dict(zip(names, args, strict=False))
            args = ()
        return function(
            *args, **current_arguments(kwargs, title, renamed, heads)
        )

    return accepting if renamed else function


def _attribute(old: str, new: str) -> property:
    def get(self: Any) -> Any:
        warn_of(old, new)
        return getattr(self, new)

    def set_(self: Any, value: Any) -> None:
        warn_of(old, new)
        setattr(self, new, value)

    return property(get, set_)


def _use_properties(cls: type[Module]) -> None:
    r"""Makes assigned modules reach the properties of a class. Torch would
    register them under the old name, where nothing uses them.
    """
    if "__setattr__" in vars(cls):
        return

    def set_attribute(self: Module, name: str, value: Any) -> None:
        found = getattr(cls, name, None)
        if isinstance(found, property):
            found.__set__(self, value)
        else:
            super(cls, self).__setattr__(name, value)

    cls.__setattr__ = set_attribute  # type: ignore[method-assign]
