import numpy as np
import pytest
import torch
from torch.utils.data import Subset

from symgnn_pyg import Skeleton
from symgnn_pyg.datasets import SkeletonArrays
from symgnn_pyg.training import light_network

ARM = Skeleton(["a", "b", "c"], [(1, 0), (2, 1)])


@pytest.mark.parametrize(("channels", "num_observed"), [(2, 6), (3, 30)])
def test_fits_any_samples(channels, num_observed):
    recordings = np.random.default_rng(0).normal(size=(4, 40, 3, channels))
    data = SkeletonArrays(
        recordings, [0, 1, 0, 1], ARM, num_observed=num_observed, num_future=5
    )
    model = light_network(Subset(data, [0, 1]), (4, 4, 8)).eval()
    out = model(data[0].x)
    assert out.logits.shape == (1, 2)
    assert out.future.shape == (3, 5, channels)
    assert model.arguments["strides"] == [1, 2, 2]
    assert model.arguments["fusion"] == [1, 2]
    assert model.arguments["num_recent"] == min(20, num_observed)


def test_arguments_take_precedence():
    data = SkeletonArrays(
        torch.randn(4, 20, 3, 3), [0, 1, 0, 1], ARM, num_observed=8,
        num_future=4,
    )  # fmt: skip
    plain = light_network(
        data, (4, 4), decoder="recursive", forecast=False, learned_pool=False
    )
    best = light_network(data, (4, 4))
    names = [{*model.state_dict()} for model in (plain, best)]
    assert names[0] < names[1]
    assert plain.arguments["decoder"] == "recursive"
