import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.visualization import plot_adjacency

SKELETON = Skeleton.get("cmu26")


@pytest.mark.parametrize("skeleton", [SKELETON, SKELETON.dual()])
def test_rows_and_names(skeleton, tmp_path):
    graph = skeleton.hop_powers(1)[0].requires_grad_().bfloat16()
    ax = plot_adjacency(graph, skeleton)
    np.testing.assert_array_equal(
        ax.images[0].get_array(), graph.detach().float()
    )
    for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
        assert tuple(label.get_text() for label in labels) == skeleton.joints
    # Row 0 is on top.
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert ax.get_ylabel() == "joint that is acted on"
    ax.figure.savefig(tmp_path / "graph.png", dpi=30)


def test_given_axes(arm):
    _, ax = plt.subplots()
    assert plot_adjacency(np.eye(3), arm, ax) is ax
    with pytest.raises(
        ValueError, match=r"'graph' of shape \[3, 3\].*\[2, 3\]"
    ):
        plot_adjacency(torch.zeros(2, 3), arm)
    assert len(plt.get_fignums()) == 1
