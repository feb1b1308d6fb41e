import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import SymGNN
from tests.conftest import TINY


@pytest.fixture(scope="session")
def arm():
    """A chain of five joints in three parts."""
    return Skeleton(
        joints=["chest", "shoulder", "elbow", "wrist", "hand"],
        bones=[(1, 0), (2, 1), (3, 2), (4, 3)],
        parts={"body": [0], "upper": [1, 2], "lower": [3, 4]},
        name="arm",
    )


@pytest.fixture(scope="session")
def build():
    """Makes a small network whose statistics and last layer have left their
    start.
    """

    def make(skeleton, **kwargs):
        arguments = {**TINY, "num_classes": 4, "num_observed": 6}
        model = SymGNN(skeleton, **{**arguments, **kwargs})
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm1d):
                torch.nn.init.normal_(module.running_mean, std=0.1)
                torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
                torch.nn.init.normal_(module.weight, 1.0, 0.1)
                torch.nn.init.normal_(module.bias, std=0.1)
        if model.prediction_head is not None:
            last = model.prediction_head.step.out.lins[-1]
            torch.nn.init.normal_(last.weight, std=0.1)
        return model.eval()

    return make


@pytest.fixture
def model(arm, build):
    return build(arm)
