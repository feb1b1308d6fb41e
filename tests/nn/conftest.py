import pytest
import torch

from symgnn_pyg import Skeleton

ORDER = [3, 0, 4, 2, 1]


@pytest.fixture
def arm():
    """Five joints in three parts, with a ring closed by a link."""
    return Skeleton(
        joints=["chest", "shoulder", "elbow", "wrist", "hand"],
        bones=[
            ("shoulder", "chest"),
            ("elbow", "shoulder"),
            ("wrist", "elbow"),
            ("hand", "wrist"),
        ],
        parts={"body": [0], "upper": [1, 2], "lower": [3, 4]},
        links=[("hand", "elbow")],
        name="arm",
    )


@pytest.fixture
def shuffled_arm(arm):
    """The same body with its joints in another order; see `shuffle`."""
    return Skeleton(
        joints=[arm.joints[j] for j in ORDER],
        bones=[(arm.joints[a], arm.joints[b]) for a, b in arm.bones],
        parts={
            name: [arm.joints[j] for j in joints] for name, joints in arm.parts
        },
        links=[(arm.joints[a], arm.joints[b]) for a, b in arm.links],
        name="shuffled",
    )


@pytest.fixture
def shuffle():
    """Brings features [N * V, ...] or graphs [N, V, V] in the order of the
    joints of `shuffled_arm`.
    """

    def apply(x, graph=False):
        if graph:
            return x[..., ORDER, :][..., ORDER]
        return x.view(-1, len(ORDER), *x.shape[1:])[:, ORDER].flatten(0, 1)

    return apply


@pytest.fixture
def idle():
    """The parameters without a gradient, except for biases: batch normalisation
    and softmax cancel what some of them add.
    """

    def find(net):
        return [
            name
            for name, p in net.named_parameters()
            if not name.endswith("bias")
            and (p.grad is None or p.grad.eq(0).all())
        ]

    return find


@pytest.fixture
def normalised():
    """D^-1 A of a skeleton's joints or parts, from its pairs alone."""

    def build(pairs, size):
        adjacency = torch.eye(size, dtype=torch.double)
        for a, b in pairs:
            adjacency[a, b] = adjacency[b, a] = 1
        return torch.diag(1 / adjacency.sum(dim=1)) @ adjacency

    return build


@pytest.fixture
def to_edges():
    """The nonzero entries of graphs [N, V, V] as edges from j to i."""

    def build(graphs):
        stacked = torch.stack(graphs, dim=-1)
        v = stacked.size(1)
        n, i, j = stacked.abs().sum(dim=-1).nonzero(as_tuple=True)
        return torch.stack([n * v + j, n * v + i]), stacked[n, i, j]

    return build


@pytest.fixture
def mix():
    """The sum of A_k X W_k over graphs [N, V, V], in one large matrix."""

    def apply(x, graphs, weight):
        return sum(
            torch.einsum("ij,j...c,cd->i...d", torch.block_diag(*a), x, w)
            for a, w in zip(graphs, weight, strict=True)
        )

    return apply
