import pytest
import torch
from torch_geometric import transforms
from torch_geometric.data import Batch

from symgnn_pyg import Skeleton
from symgnn_pyg.data import SkeletonData

ARM = Skeleton.from_bones(
    [
        ("elbow", "shoulder"),
        ("wrist", "elbow"),
        ("tip", "wrist"),
        ("thumb", "wrist"),
    ]
)
# As many joints as bones have entries elsewhere.
SKELETONS = [ARM, Skeleton.get("cmu26"), Skeleton(["a", "b"], [(1, 0)])]
KEPT = (
    "x",
    "future",
    "joint_to_part",
    "bone_x",
    "bone_edge_index",
    "part_edge_index",
    "num_bodies",
)
WORK = [
    transforms.ToUndirected(),
    transforms.ToSparseTensor(),
    transforms.AddSelfLoops(),
    transforms.RemoveSelfLoops(),
    transforms.RemoveDuplicatedEdges(),
    transforms.TwoHop(),
    transforms.RemoveIsolatedNodes(),
    transforms.GCNNorm(),
    transforms.RandomNodeSplit(),
]
REFUSED = [
    transforms.VirtualNode(),
    transforms.LineGraph(),
    transforms.HalfHop(),
]


def sample(skeleton, num_bodies=2):
    rows = num_bodies * skeleton.num_joints
    return SkeletonData(
        x=torch.randn(rows, 4, 3),
        future=torch.randn(rows, 2, 3),
        y=0,
        skeleton=skeleton,
    )


def samples(skeleton):
    one = sample(skeleton)
    return [one, Batch.from_data_list([one, sample(skeleton, 1)])]


@pytest.mark.parametrize("skeleton", SKELETONS, ids=repr)
@pytest.mark.parametrize("transform", WORK, ids=repr)
def test_transforms_of_pyg_leave_bones_and_parts_alone(skeleton, transform):
    for data in samples(skeleton):
        found = transform(data.clone())
        for key in KEPT:
            assert torch.equal(found[key], data[key]), key
        assert found.num_nodes == data.num_nodes


@pytest.mark.parametrize("skeleton", SKELETONS[:2], ids=repr)
def test_edges_are_those_of_joints(skeleton):
    for data in samples(skeleton):
        assert data.edge_attrs() == ["edge_index"]
        assert set(data.node_attrs()) >= {"x", "future", "joint_to_part"}
        assert not {"bone_x", "num_bodies"} & set(data.node_attrs())
        sparse = transforms.ToSparseTensor()(data.clone())
        assert sparse.num_edges == data.num_edges == data.edge_index.size(1)
        turned = data.clone()
        turned.edge_index = data.edge_index.flip(1)
        assert torch.equal(turned.sort().edge_index, data.sort().edge_index)


@pytest.mark.parametrize("transform", REFUSED, ids=repr)
def test_transforms_that_change_the_joints_are_refused(transform):
    for data in samples(ARM):
        with pytest.raises(ValueError, match=r"to keep the 1[05] joints"):
            transform(data)


def test_joints_cannot_be_changed():
    data = sample(ARM, 1)
    for key, value in (
        ("x", torch.zeros(4, 4, 3)),
        ("x", None),
        ("future", torch.zeros(10, 2, 3)),
        ("num_nodes", 7),
    ):
        with pytest.raises(ValueError, match=f"'{key}' to keep the 5 joints"):
            data[key] = value
    with pytest.raises(ValueError, match="to some of its joints"):
        data.subgraph(torch.tensor([0, 1]))
    assert data.x.size(0) == 5


def test_probabilities_are_kept_as_they_are():
    y = torch.tensor([[0.2, 0.0, 0.8]])
    data = [SkeletonData(x=torch.randn(5, 4, 3), y=y, skeleton=ARM)] * 2
    assert Batch.from_data_list(data).y.shape == (2, 3)
