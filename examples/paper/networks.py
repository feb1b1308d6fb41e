"""The networks of the experiments, by their names in the paper's tables."""

from collections.abc import Callable
from typing import Any

from torch.nn import Module

from examples.paper.run import SYM_GNN, Run
from symgnn_pyg import Skeleton
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.nn.baselines import (
    AGCN,
    ASGCN,
    HCN,
    LTD,
    STGCN,
    LinearRegression,
    ResidualGRU,
    ZeroVelocity,
)
from symgnn_pyg.training import DEFAULT_HEAD

RECOGNITION: dict[str, Callable[..., Module]] = {
    "ST-GCN": STGCN,
    "HCN": HCN,
    "2s-AGCN, one stream": AGCN,
    "AS-GCN": ASGCN,
}
PREDICTION: dict[str, Callable[..., Module]] = {
    "ZeroV": ZeroVelocity,
    "linear regression": LinearRegression,
    "Res-uns": ResidualGRU,
    "LTD": LTD,
}
# What learns best on validation windows; see docs/results/cmu.md.
LIGHT: dict[str, Any] = {
    "channels": (32, 64, 64),
    "strides": (1, 2, 2),
    "fusion": (1, 2),
    "hidden_channels": 128,
    "dropout": 0.1,
    **DEFAULT_HEAD,
}
# Arguments for networks that train in seconds.
SMALL_GRAPHS = {"channels": (16, 32), "strides": (1, 2), "dropout": 0.1}
SMALL: dict[str, dict[str, Any]] = {
    SYM_GNN: {
        "channels": (16, 32),
        "strides": (2, 2),
        "fusion": (1,),
        "hidden_channels": 32,
    },
    "ST-GCN": SMALL_GRAPHS,
    "AS-GCN": SMALL_GRAPHS,
    "2s-AGCN, one stream": {"channels": (16, 32), "strides": (1, 2)},
    "HCN": {"num_frames": 16, "hidden_channels": 64, "dropout": 0.1},
    "Res-uns": {"channels": 64},
    "LTD": {"channels": 32, "num_blocks": 2, "dropout": 0.1},
}


def build(
    run: Run, skeleton: Skeleton, num_classes: int, quick: bool
) -> Module:
    """The network of a run, with new weights.

    Args:
        run: The run.
        skeleton: The skeleton, of the joints or the bones.
        num_classes: The number of classes of the data.
        quick: Whether to build a small network.
    """
    arguments = arguments_of(run, quick)
    if run.network in RECOGNITION:
        return RECOGNITION[run.network](skeleton, num_classes, **arguments)
    if run.network in PREDICTION:
        return PREDICTION[run.network](skeleton, run.num_future, **arguments)
    arguments = {
        "num_classes": num_classes,
        "num_observed": run.num_observed,
        "num_future": run.num_future,
        **arguments,
    }
    return SymGNN(skeleton, **arguments)


def arguments_of(run: Run, quick: bool) -> dict[str, Any]:
    """The arguments of a run's network that differ from their defaults."""
    arguments = {**LIGHT} if run.network == SYM_GNN else {}
    if run.network == "AS-GCN":
        arguments["num_observed"] = run.num_observed
    if quick:
        arguments |= SMALL.get(run.network, {})
    return arguments | dict(run.variant)
