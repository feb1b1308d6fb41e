import copy
import pickle

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, InMemoryDataset
from torch_geometric.loader import DataLoader
from torch_geometric.transforms import AddSelfLoops

from symgnn_pyg import Skeleton
from symgnn_pyg.data import SkeletonData

NAMES = ("ntu25", "kinetics18", "cmu26")


def sample(name, label=0, num_observed=4, num_future=3):
    skeleton = Skeleton.get(name)
    return SkeletonData(
        x=torch.randn(skeleton.num_joints, num_observed, 3),
        future=torch.randn(skeleton.num_joints, num_future, 3),
        y=label,
        skeleton=skeleton,
    )


@pytest.fixture
def samples():
    return [sample(name, label) for label, name in enumerate(NAMES)]


def test_graphs_of_the_skeleton():
    data = sample("cmu26")
    skeleton = data.skeleton
    assert torch.equal(data.edge_index, skeleton.edge_index)
    assert torch.equal(data.part_edge_index, skeleton.part_edge_index)
    assert torch.equal(data.bone_edge_index, skeleton.dual().edge_index)
    assert data.num_nodes == 26
    assert data.y.shape == (1,)


def test_bone_is_child_minus_parent():
    data = sample("ntu25")
    for row, (child, parent) in enumerate(data.skeleton.bones):
        torch.testing.assert_close(
            data.bone_x[row], data.x[child] - data.x[parent]
        )


@pytest.mark.parametrize("name", ["x", "future"])
def test_wrong_number_of_joints(name):
    skeleton = Skeleton.get("cmu26")
    tensors = {"x": torch.zeros(26, 2, 3), name: torch.zeros(25, 2, 3)}
    with pytest.raises(ValueError, match=rf"'{name}'.*\[25, 2, 3\].*26"):
        SkeletonData(**tensors, skeleton=skeleton)


def test_frames_that_may_be_bodies():
    x = torch.randn(50, 25, 3)
    with pytest.raises(ValueError, match=r"\[25, T, C\].*num_bodies"):
        SkeletonData(x, skeleton="ntu25")
    for count in (2, torch.tensor([2])):
        data = SkeletonData(x, skeleton="ntu25", num_bodies=count)
        assert data.num_bodies.tolist() == [2]
        again = SkeletonData.from_dict(data.to_dict())
        assert torch.equal(again.bone_x, data.bone_x)
    with pytest.raises(ValueError, match="3 bodies of the 25 joints"):
        SkeletonData(x, skeleton="ntu25", num_bodies=3)
    with pytest.raises(ValueError, match="'num_bodies' must be at least 1"):
        SkeletonData(x, skeleton="ntu25", num_bodies=0)
    with pytest.raises(TypeError, match="integer"):
        SkeletonData(x, skeleton="ntu25", num_bodies=2.5)


def test_own_graphs_are_kept():
    data = sample("cmu26")
    data = AddSelfLoops()(data)
    again = SkeletonData.from_dict(data.to_dict())
    assert torch.equal(again.edge_index, data.edge_index)
    assert again.edge_index.size(1) == data.skeleton.edge_index.size(1) + 26
    assert torch.equal(again.bone_x, data.bone_x)


def test_kept_in_memory(samples, tmp_path):
    class InMemory(InMemoryDataset):
        def __init__(self):
            super().__init__(tmp_path)
            self.load(tmp_path / "all.pt", data_cls=SkeletonData)

    InMemoryDataset.save(samples, tmp_path / "all.pt")
    torch.load(tmp_path / "all.pt", weights_only=True)
    for found, data in zip(InMemory(), samples, strict=True):
        assert found.skeleton == data.skeleton
        for key, value in data.to_dict().items():
            if key != "skeleton":
                assert torch.equal(found[key], value), key


def test_without_frames():
    one = Skeleton(["a"], [])
    assert SkeletonData(skeleton=one).num_nodes == 1


def test_without_a_skeleton():
    assert not SkeletonData().keys()
    assert "edge_index" not in SkeletonData(x=torch.zeros(3, 2, 3))


def test_without_bones():
    point = Skeleton(["point"], [])
    data = SkeletonData(x=torch.ones(1, 2, 3), skeleton=point)
    assert data.bone_x.shape == (0, 2, 3)


def test_arrays():
    frames = np.random.default_rng(0).standard_normal((25, 4, 3))
    data = SkeletonData(frames, future=frames[:, :2], y=1, skeleton="ntu25")
    assert data.x.dtype == data.future.dtype == torch.float32
    np.testing.assert_allclose(data.x, frames, rtol=1e-6)
    assert data.skeleton == Skeleton.get("ntu25")
    assert data.bone_x.shape == (24, 4, 3)
    assert SkeletonData(np.zeros((25, 2, 2), int)).x.is_floating_point()
    assert torch.equal(SkeletonData(frames.tolist()).x, data.x)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_integers(dtype):
    """Random transforms would round their factors to zero."""
    frames = torch.arange(25 * 4 * 3, dtype=dtype).view(25, 4, 3)
    data = SkeletonData(frames, future=frames[:, :2], skeleton="ntu25")
    assert data.x.dtype == data.future.dtype == data.bone_x.dtype == torch.float
    assert data.bone_x[0].tolist() == data.x.diff(dim=0)[0].neg().tolist()


def test_further_attributes():
    data = SkeletonData(x=torch.zeros(26, 2, 3), name="walk")
    assert data.name == "walk"


@pytest.mark.parametrize(
    "twin",
    [copy.copy, copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d)),
     lambda d: d.clone()],
    ids=["copy", "deepcopy", "pickle", "clone"],
)  # fmt: skip
def test_twins(twin):
    data = sample("kinetics18")
    other = twin(data)
    assert type(other) is SkeletonData
    assert other.skeleton == data.skeleton
    assert other.keys() == data.keys()
    for key, value in data.items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(other[key], value), key


def test_clone_is_apart():
    data = sample("cmu26")
    data.clone().x.zero_()
    assert data.x.abs().sum() > 0


def test_mixed_batch_offsets(samples):
    batch = Batch.from_data_list(samples)
    assert batch.x.shape == (25 + 18 + 26, 4, 3)
    assert batch.batch.bincount().tolist() == [25, 18, 26]
    assert batch.joint_to_part.unique().tolist() == list(range(30))
    assert torch.equal(batch.joint_to_part // 10, batch.batch)
    assert batch.y.tolist() == [0, 1, 2]
    assert batch.skeleton == [Skeleton.get(name) for name in NAMES]


@pytest.mark.parametrize(
    ("key", "sizes"),
    [
        ("edge_index", (25, 18, 26)),
        ("bone_edge_index", (24, 17, 25)),
        ("part_edge_index", (10, 10, 10)),
    ],
)
def test_edges_stay_inside_their_graph(samples, key, sizes):
    batch = Batch.from_data_list(samples)
    graph = torch.repeat_interleave(torch.arange(3), torch.tensor(sizes))
    source, target = graph[batch[key][0]], graph[batch[key][1]]
    assert torch.equal(source, target)
    counts = [data[key].size(1) for data in samples]
    assert source.bincount().tolist() == counts


def test_loader_and_back(samples):
    loader = DataLoader(samples, batch_size=3, follow_batch=["bone_x"])
    (batch,) = loader
    assert batch.bone_x_batch.bincount().tolist() == [24, 17, 25]
    assert torch.equal(
        batch.bone_x_batch[batch.bone_edge_index[0]],
        batch.bone_x_batch[batch.bone_edge_index[1]],
    )
    for data, again in zip(samples, batch.to_data_list(), strict=True):
        assert again.skeleton == data.skeleton
        for key in data.keys():  # noqa: SIM118
            if isinstance(data[key], torch.Tensor):
                assert torch.equal(again[key], data[key]), key


def test_a_single_joint_fits_into_a_batch():
    point = Skeleton(["root"], [])
    data = [
        SkeletonData(x=torch.zeros(s.num_joints, 2, 3), skeleton=s)
        for s in (point, Skeleton.get("ntu25"), point)
    ]
    for order in (data, data[::-1], data[1:]):
        batch = Batch.from_data_list(order)
        assert batch.bone_edge_index.size(1) > 0
        assert batch.bone_x.size(0) == 24


def test_skeletons_are_not_changed_through_their_data():
    skeleton = Skeleton.get("ntu25")
    x = torch.zeros(25, 2, 3)
    data = SkeletonData(x=x, skeleton=skeleton)
    data.edge_index.add_(100)
    data.joint_to_part.zero_()
    again = SkeletonData(x=x, skeleton=skeleton)
    for other in (skeleton, again):
        assert other.edge_index.max() == 24
        assert other.joint_to_part.max() == 9


def crowd(bodies, label=0):
    skeleton = Skeleton.get("kinetics18")
    return SkeletonData(
        x=torch.randn(bodies * skeleton.num_joints, 4, 3),
        y=label,
        skeleton=skeleton,
    )


GRAPHS = ("edge_index", "part_edge_index", "bone_edge_index")


def test_bodies_are_a_batch_of_one_body_each():
    """Two bodies of one sample look like two samples of one body."""
    data = crowd(2)
    assert data.num_bodies == 2
    rows = data.x.split(18)
    batch = Batch.from_data_list(
        [SkeletonData(x=x, skeleton=data.skeleton) for x in rows]
    )
    for key in ("x", "bone_x", "joint_to_part"):
        assert torch.equal(data[key], batch[key])
    for key in GRAPHS:
        one, other = data[key], batch[key]
        assert set(zip(*one.tolist(), strict=True)) == set(
            zip(*other.tolist(), strict=True)
        )
    single = data.skeleton.edge_index.size(1)
    assert data.edge_index[:, :single].max() < 18 <= data.edge_index[1, single]


def test_samples_of_many_bodies_batch():
    samples = [crowd(2), sample("cmu26", 1), crowd(1, 2), crowd(3, 3)]
    batch = Batch.from_data_list(samples)
    assert batch.num_bodies.tolist() == [2, 1, 1, 3]
    assert batch.ptr.tolist() == [0, 36, 62, 80, 134]
    assert batch.edge_index.max() == 133
    assert batch.joint_to_part.max() == 10 * 7 - 1
    for one, other in zip(samples, batch.to_data_list(), strict=True):
        for key in (*GRAPHS, "x", "bone_x", "joint_to_part", "y"):
            assert torch.equal(one[key], other[key])


@pytest.mark.parametrize("rows", [0, 17, 35])
def test_rows_are_no_bodies(rows):
    with pytest.raises(ValueError, match=rf"'x' of shape \[{rows}, 4, 3\]"):
        SkeletonData(torch.zeros(rows, 4, 3), skeleton=Skeleton.get("ntu25"))


def test_labels_are_numbers():
    with pytest.raises(TypeError, match=r"pass classes\.index\('walk'\)"):
        SkeletonData(torch.zeros(26, 4, 3), y="walk", skeleton="cmu26")
