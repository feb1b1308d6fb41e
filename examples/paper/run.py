"""The arguments of a training."""

from dataclasses import asdict, dataclass
from inspect import signature
from typing import Any

from examples.paper.data import OBSERVED
from symgnn_pyg.nn import SymGNN

SYM_GNN = "Sym-GNN"


@dataclass(frozen=True)
class Run:
    """One training.

    Args:
        network: Sym-GNN or one of the baselines.
        variant: The network's arguments that differ from their defaults.
        num_observed: The number of observed frames.
        num_future: The number of frames to predict, or 0.
        horizon: The number of frames in a window after its first
            :obj:`OBSERVED`.
        bones: Whether the network runs on the bones.
        noisy_targets: The share of shuffled futures.
        noisy_labels: The share of shuffled labels.
        seed: The seed.
    """

    network: str = SYM_GNN
    variant: tuple[tuple[str, Any], ...] = ()
    num_observed: int = OBSERVED
    num_future: int = 10
    horizon: int = 10
    bones: bool = False
    noisy_targets: float = 0.0
    noisy_labels: float = 0.0
    seed: int = 0


def sym_gnn(**variant: Any) -> Run:
    """A run of Sym-GNN.

    Args:
        **variant: Arguments of the network, or fields of :class:`Run`.
    """
    fields = {
        name: variant.pop(name)
        for name in Run.__dataclass_fields__
        if name in variant
    }
    # An explicit default makes the same network as an implicit one.
    default = {n: p.default for n, p in signature(SymGNN).parameters.items()}
    differ = {n: v for n, v in variant.items() if v != default[n]}
    return Run(variant=tuple(sorted(differ.items())), **fields)


def describe(run: Run) -> str:
    """A run as text."""
    parts = [run.network, "of the bones" if run.bones else ""]
    parts += [f"{name}={value}" for name, value in run.variant]
    default = Run()
    parts += [
        f"{name}={value}"
        for name, value in asdict(run).items()
        if name not in ("network", "variant", "bones")
        and value != getattr(default, name)
    ]
    return " ".join(filter(None, parts))
