r"""The old place of built-in skeletons, which :meth:`Skeleton.get` builds."""

from symgnn_pyg.deprecated import warn_of
from symgnn_pyg.skeleton import Skeleton

NAMES = ("CMU26", "CMU38", "H36M20", "KINETICS18", "NTU25")


def __getattr__(name: str) -> Skeleton:
    if name not in NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warn_of(f"{__name__}.{name}", f'Skeleton.get("{name.lower()}")')
    return Skeleton.get(name.lower())
