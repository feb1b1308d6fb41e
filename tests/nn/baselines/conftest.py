import pytest
import torch
from torch.nn import Dropout, Dropout2d

from symgnn_pyg.nn.baselines import (
    AGCN,
    ASGCN,
    CTRGCN,
    HCN,
    LTD,
    STGCN,
    LinearRegression,
    ResidualGRU,
    ZeroVelocity,
)

# Bodies, joints, frames, actions, frames to predict.
M, V, T, K, STEPS = 3, 5, 12, 4, 3
TINY = {
    STGCN: {"channels": (4, 8), "strides": (1, 2), "kernel_size": 3},
    AGCN: {"channels": (4, 8), "strides": (1, 2)},
    ASGCN: {
        "num_observed": T,
        "channels": (4, 8),
        "strides": (1, 2),
        "num_hops": 2,
    },
    CTRGCN: {"channels": (16, 32), "strides": (1, 2)},
    HCN: {"num_frames": 16, "hidden_channels": 16},
    ZeroVelocity: {},
    ResidualGRU: {"channels": 8},
    LTD: {"num_recent": 10, "channels": 8, "num_blocks": 2},
    LinearRegression: {"num_recent": 6},
}
RECOGNISERS = (STGCN, AGCN, ASGCN, CTRGCN, HCN)


@pytest.fixture
def tiny(arm):
    """Builds a small network, by default of the arm."""

    def build(kind, skeleton=arm, **kwargs):
        size = K if kind in RECOGNISERS else STEPS
        return kind(skeleton, size, **{**TINY[kind], **kwargs})

    return build


@pytest.fixture
def settled():
    """Moves a network away from its start, where some paths count for
    nothing, in double precision and evaluation mode.
    """

    def settle(net):
        net = net.double()
        weights = [*net.parameters()] or [*net.buffers()]
        with torch.no_grad():
            for weight in weights:
                weight.add_(0.3 * torch.randn_like(weight))
            for _ in range(10):
                net(torch.randn(4 * V, T, 3, dtype=torch.double))
        return net.eval()

    return settle


@pytest.fixture
def without_dropout():
    def switch_off(net):
        for module in net.modules():
            if isinstance(module, Dropout | Dropout2d):
                module.p = 0.0
        return net

    return switch_off


@pytest.fixture
def x():
    return torch.randn(M * V, T, 3, dtype=torch.double)
