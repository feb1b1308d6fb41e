import numpy as np
import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.skeleton import count_coordinates


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layouts_of_images_have_a_score(dtype):
    coco, body = Skeleton.get("coco17"), Skeleton.get("h36m17")
    frames = np.random.default_rng(0).uniform(size=(2, 5, 17, 3)).astype(dtype)
    frames[0, 1, 3] = np.nan
    assert count_coordinates(frames, coco) == 2
    assert count_coordinates(torch.from_numpy(frames), "coco17") == 2
    assert count_coordinates(frames, body) == 3
    assert count_coordinates(frames[..., :2], coco) == 2
    for value in (-0.1, 1.5, np.inf):  # No score.
        frames[1, 2, 4, 2] = value
        assert count_coordinates(frames, coco) == 3
