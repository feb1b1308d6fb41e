import pytest
import torch
from torch_geometric.data import Batch

from symgnn_pyg import Skeleton
from symgnn_pyg.data import SkeletonData
from symgnn_pyg.transforms import Mirror, ToBones

GRAPHS = ("edge_index", "bone_edge_index", "joint_to_part")


def test_child_minus_parent(body):
    x = torch.tensor([1.0, 10.0, 100.0, 1000.0]).view(4, 1, 1)
    done = ToBones()(SkeletonData(x=x, future=2 * x, skeleton=body))
    assert done.x.flatten().tolist() == [9.0, 90.0, 990.0]
    assert done.future.flatten().tolist() == [18.0, 180.0, 1980.0]


@pytest.mark.parametrize("name", ["ntu25", "kinetics18", "h36m20", "cmu26"])
def test_is_a_sample_of_the_dual_skeleton(name, sample):
    skeleton = Skeleton.get(name)
    dual = skeleton.dual()
    data = sample(skeleton=skeleton, y=4)
    done = ToBones()(data)
    assert type(done) is SkeletonData
    assert done.skeleton == dual
    assert done.num_bodies == 1
    assert torch.equal(done.x, data.bone_x)
    assert torch.equal(done.edge_index, dual.edge_index)
    assert torch.equal(done.edge_index, data.bone_edge_index)
    assert torch.equal(done.joint_to_part, dual.joint_to_part)
    assert torch.equal(done.part_edge_index, dual.part_edge_index)
    assert done.y.tolist() == [4]
    assert set(data.keys()) == set(done.keys())
    assert done.num_nodes == skeleton.num_bones


def test_bodies_are_joined_as_a_batch_joins_samples(sample):
    skeleton = Skeleton.get("kinetics18")
    data = sample(bodies=3, skeleton=skeleton)
    done = ToBones()(data)
    single = [SkeletonData(x=x, skeleton=skeleton) for x in data.x.split(18)]
    batch = Batch.from_data_list([ToBones()(body) for body in single])
    assert done.num_bodies == 3
    for key in ("x", "edge_index", "joint_to_part", "part_edge_index"):
        assert torch.equal(done[key], batch[key]), key


def test_other_attributes(sample):
    data = sample(bodies=2)
    data.name = "wave"
    data.subject = torch.tensor([7])
    data.colour = torch.zeros(8)
    data.edge_weight = torch.zeros(data.num_edges)
    done = ToBones()(data)
    assert done.name == "wave"
    assert done.subject.tolist() == [7]
    assert "colour" not in done
    assert "edge_weight" not in done


@pytest.mark.parametrize("y", [torch.ones(1, 3), "wave"], ids=["row", "name"])
def test_labels_stay_as_they_are(sample, y):
    data = sample()
    data.y = y
    done = ToBones()(data)
    assert torch.equal(done.y, y) if torch.is_tensor(y) else done.y == y


def test_labels_of_joints_are_left_out(sample):
    data = sample()
    data.y = torch.ones(data.num_nodes)
    assert "y" not in ToBones()(data)


def test_mask_needs_both_ends(sample):
    data = sample(num_observed=2)
    data.mask = torch.tensor([[1, 1], [1, 0], [0, 1], [1, 1]]).bool()
    done = ToBones()(data)
    assert done.mask.tolist() == [[True, False], [False, False], [True, False]]


def test_without_a_future(body):
    done = ToBones()(SkeletonData(x=torch.ones(4, 2, 3), skeleton=body))
    assert "future" not in done
    assert "y" not in done


def test_other_transforms_go_on(sample):
    data = sample(bodies=2)
    done = Mirror(p=1.0)(ToBones()(data))
    other = ToBones()(Mirror(p=1.0)(data))
    torch.testing.assert_close(done.x, other.x)
    torch.testing.assert_close(done.future, other.future)


def colour(data):
    data.colour = torch.zeros(data.num_nodes)
    return data


def unlabelled(data):
    del data.y
    return data


def without_future(data):
    del data.future
    return data


def labelled_twice(data):
    data.y = data.y.repeat(2)
    return data


def labelled_unevenly(data):
    data.y = data.y.repeat(int(data.num_bodies) - 1)
    return data


def labelled_by_a_row(data):
    data.y = torch.ones(1, 3)
    return data


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data,
        colour,
        unlabelled,
        labelled_twice,
        labelled_unevenly,
        labelled_by_a_row,
    ],
)
def test_a_batch_becomes_that_of_the_bones(sample, change):
    samples = [change(sample(bodies=b, seed=b, y=b)) for b in (2, 1, 3)]
    done = ToBones()(Batch.from_data_list(samples))
    bones = [ToBones()(each) for each in samples]
    expected = Batch.from_data_list(bones)
    assert set(done.keys()) == set(expected.keys())
    for key, value in expected.to_dict().items():
        if torch.is_tensor(value):
            assert torch.equal(done[key], value), key
        else:
            assert done[key] == value, key
    for one, other in zip(done.to_data_list(), bones, strict=True):
        for key in ("x", "future", *GRAPHS):
            assert torch.equal(one[key], other[key]), key


@pytest.mark.parametrize("change", [lambda data: data, without_future])
def test_labels_that_a_batch_was_given(sample, change):
    samples = [change(sample(bodies=b, seed=b, y=b)) for b in (2, 1)]
    expected = ToBones()(Batch.from_data_list(samples))
    batch = Batch.from_data_list([unlabelled(each) for each in samples])
    batch.y = torch.tensor([2, 1])
    done = ToBones()(batch)
    assert set(done.keys()) == set(expected.keys())
    assert done.y.tolist() == [2, 1]
    assert torch.equal(done.x, expected.x)


def test_what_samples_do_not_have_is_not_dropped(sample):
    batch = Batch.from_data_list([sample(seed=s, y=s) for s in (0, 1)])
    batch.weight = torch.ones(2)
    with pytest.raises(ValueError, match="got weight in addition"):
        ToBones()(batch)


def test_no_bones():
    data = SkeletonData(x=torch.ones(1, 2, 3), skeleton=Skeleton(["a"], []))
    with pytest.raises(ValueError, match="skeleton with bones"):
        ToBones()(data)
