r"""Symbiotic graph neural networks for skeletons in motion, on PyTorch
Geometric.
"""

from importlib import import_module
from types import ModuleType

from symgnn_pyg.skeleton import Skeleton

__version__ = "0.2.0"

__all__ = ["Skeleton", "__version__"]

# Imported on first use, since some of them need optional packages.
SUBMODULES = (
    "cli",
    "data",
    "datasets",
    "inference",
    "io",
    "metrics",
    "nn",
    "ops",
    "testing",
    "training",
    "transforms",
    "visualization",
)


def __getattr__(name: str) -> ModuleType:
    if name in SUBMODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *SUBMODULES])
