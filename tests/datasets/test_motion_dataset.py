import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, Subset
from torch_geometric.data import Batch
from torch_geometric.loader import DataLoader
from torch_geometric.transforms import AddSelfLoops, Compose

from symgnn_pyg import Skeleton
from symgnn_pyg.data import MotionSequence, SequenceStore, SkeletonLoader
from symgnn_pyg.data.skeleton_data import bone_features
from symgnn_pyg.datasets import MotionDataset, Window, all_windows, clip_windows
from symgnn_pyg.errors import DataError
from symgnn_pyg.transforms import Standardize, ToBones

ARM = Skeleton(["a", "b", "c"], [(1, 0), (2, 1)])


def opened(store, windows, **arguments):
    arguments = {"num_observed": 4, "num_future": 2, **arguments}
    return MotionDataset(store, windows, **arguments)


@pytest.fixture
def store(tmp_path):
    """Two sequences; each number tells its frame."""
    sequences = [
        MotionSequence(
            f"s{n}",
            np.arange(n)[:, None, None] + np.zeros((n, 3, 2)) + 100 * k,
            k,
        )
        for k, n in enumerate((20, 6))
    ]
    return SequenceStore.write(
        tmp_path / "s.h5", sequences, ARM, ["up", "down"]
    )


def test_observed_and_future_follow_each_other(store):
    dataset = opened(
        store, [Window(0, 3), Window(1, 0)], num_observed=3, stride=2
    )
    data = dataset[0]
    assert data.x[1, :, 0].tolist() == [3, 5, 7]
    assert data.future[1, :, 0].tolist() == [9, 11]
    assert data.y.tolist() == [0]
    assert data.bone_x.shape == (2, 3, 2)
    assert repr(dataset) == "MotionDataset(2, num_observed=3, num_future=2)"


def test_no_future(store):
    data = opened(store, [Window(0, 0)], num_future=0)[0]
    assert data.x.shape == (3, 4, 2)
    assert data.future.shape == (3, 0, 2)


def test_numbers_of_frames_are_those_after_the_transform(store):
    calls = []

    def shorten(data):
        calls.append(data)
        data.x, data.future = data.x[:, ::2], data.future[:, :0]
        return data

    dataset = opened(
        store, [Window(0, 1)], num_observed=5, num_future=1, transform=shorten
    )
    assert (dataset.num_observed, dataset.num_future) == (3, 0)
    assert len(calls) == 1
    dataset.transform = None
    assert (dataset.num_observed, dataset.num_future) == (5, 1)


@pytest.mark.parametrize(("stride", "skip"), [(1, 0), (2, 1), (3, 0)])
def test_all_windows_fit_and_none_is_missing(store, stride, skip):
    windows = all_windows(
        store, [0], num_observed=3, num_future=2, stride=stride, skip=skip
    )
    starts = windows["start"].tolist()
    last = 20 - 1 - 4 * stride
    assert starts == list(range(skip, last + 1))


def test_short_sequences_are_named(store):
    with pytest.warns(
        UserWarning, match=r"window of 10 frames: s6 \(1 in all\)$"
    ):
        windows = all_windows(store, [0, 1], num_observed=8, num_future=2)
    assert set(windows["sequence"]) == {0}


def test_no_windows(store):
    with pytest.raises(DataError, match=r"s\.h5.*30 \+ 2 .*stride 4"):
        opened(store, [], num_observed=30, stride=4)


@pytest.mark.parametrize(
    ("name", "least"), [("num_observed", 1), ("num_future", 0), ("stride", 1)]
)
def test_windows_that_cannot_be(store, name, least):
    given = {"num_observed": 1, "num_future": 1, "stride": 1, name: least - 1}
    with pytest.raises(
        ValueError, match=f"'{name}' must be at least {least}, got {least - 1}"
    ):
        opened(store, [Window(0, 0)], **given)


def test_standardize_counts_each_frame_once(store):
    windows = all_windows(store, [0], num_observed=3, num_future=2)
    dataset = opened(store, windows, num_observed=3)
    dataset.kind = "rotation"
    transform = dataset.standardize()
    frames = store[0][0]
    torch.testing.assert_close(transform.mean, frames.mean(dim=0))
    torch.testing.assert_close(
        transform.std, frames.std(dim=0, correction=0), rtol=1e-4, atol=0
    )


def test_clip_is_stretched(store):
    """Each number tells its frame, so interpolation is exact."""
    windows = clip_windows(store, [0, 1])
    assert windows["span"].tolist() == [20, 6]
    dataset = opened(store, windows, num_observed=8, num_future=3)
    for data, last in zip(dataset, (19, 105), strict=True):
        seen = torch.cat([data.x, data.future], dim=1)[2, :, 1]
        first = last // 100 * 100
        torch.testing.assert_close(seen, torch.linspace(first, last, 11))


def test_clip_of_the_right_length_is_read_as_it_is(store):
    data = opened(store, clip_windows(store, [1]))[0]
    assert data.x[0, :, 0].tolist() == [100, 101, 102, 103]


@pytest.fixture
def crowd(tmp_path):
    """Clips of one, two and three bodies."""
    random = np.random.default_rng(0)
    sequences = [
        MotionSequence(str(n), random.standard_normal((n, 9 + n, 3, 2)), 0)
        for n in (2, 1, 3, 1)
    ]
    return SequenceStore.write(tmp_path / "c.h5", sequences, ARM, ["one"])


def test_bodies_of_a_sample(crowd):
    data = opened(crowd, [Window(2, 1)])[0]
    assert data.num_bodies == 3
    for body in range(3):
        torch.testing.assert_close(
            data.x[3 * body : 3 * body + 3].transpose(0, 1), crowd[2][body, 1:5]
        )
    assert data.edge_index.max() == 8


def test_absent_bodies_do_not_count(tmp_path):
    """Of two bodies, the second leaves after six frames; later, nobody is
    there."""
    frames = np.random.default_rng(0).standard_normal((2, 20, 3, 2)) + 5
    frames[1, 6:] = frames[0, 14:] = 0
    alone = frames[:1, :14]
    store = SequenceStore.write(
        tmp_path / "a.h5",
        [MotionSequence("two", frames, 0), MotionSequence("one", alone, 0)],
        ARM,
        ["walk"],
    )
    windows = [Window(0, start) for start in (0, 4, 6, 14)] + [Window(1, 6)]
    dataset = opened(store, windows)
    counts = [2, 2, 1, 1, 1]
    assert [int(data.num_bodies) for data in dataset] == counts
    batch = dataset.batch(range(5))
    assert batch.num_bodies.tolist() == counts
    equal(batch, Batch.from_data_list([*dataset]))
    torch.testing.assert_close(dataset[2].x, dataset[4].x)
    assert not dataset[3].x.any()
    seen = torch.from_numpy(np.concatenate([alone[0], frames[1, :6], alone[0]]))
    dataset.kind = "rotation"
    found = dataset.standardize()
    torch.testing.assert_close(found.mean.double(), seen.mean(dim=0))
    torch.testing.assert_close(
        found.std.double(), seen.std(dim=0, unbiased=False)
    )


def test_skeleton_of_the_bones(crowd):
    dataset = opened(crowd, [Window(2, 1), Window(0, 0)])
    plain = dataset.batch([0, 1])
    assert dataset.skeleton == ARM
    dataset.transform = Compose([ToBones()])
    assert dataset.skeleton == ARM.dual()
    batch = dataset.batch([0, 1])
    assert batch.skeleton == [dataset.skeleton] * 2
    for name in ("x", "future"):
        torch.testing.assert_close(batch[name], bone_features(plain[name], ARM))
    assert batch.num_bodies.equal(plain.num_bodies)


def equal(one, other):
    one, other = one.to_dict(), other.to_dict()
    assert set(one) == set(other)
    for key, a in one.items():
        b = other[key]
        assert torch.equal(a, b) if torch.is_tensor(a) else a == b, key


@pytest.mark.parametrize(
    "transform",
    [
        None,
        Standardize(torch.full((3, 2), 0.5), torch.full((3, 2), 2.0)),
        Compose([Standardize(torch.ones(3, 2), torch.ones(3, 2))] * 2),
        Compose([ToBones(), Standardize(torch.ones(2, 2), torch.ones(2, 2))]),
        AddSelfLoops(),
    ],
    ids=["none", "standardize", "compose", "bones", "foreign"],
)
@pytest.mark.parametrize("workers", [0, 2])
def test_loader_gives_the_same_batches(crowd, transform, workers):
    windows = [*clip_windows(crowd, range(4)), (0, 2, 0), (1, 0, 3)]
    dataset = opened(crowd, windows, transform=transform)
    fast = SkeletonLoader(dataset, 4, num_workers=workers)
    for one, other in zip(fast, DataLoader(dataset, 4), strict=True):
        equal(one, other)
        for a, b in zip(one.to_data_list(), other.to_data_list(), strict=True):
            equal(a, b)


class Scaled(ToBones):
    def forward(self, data):
        data = super().forward(data)
        data.scale = data.x.abs().amax().view(1)
        return data


def test_transforms_of_ones_own_see_samples(crowd):
    dataset = opened(crowd, clip_windows(crowd, range(4)))
    dataset.transform = Scaled()
    assert dataset.batch([0, 1, 2]).scale.tolist() == [
        dataset[i].scale.item() for i in range(3)
    ]


def test_loader_of_a_part(crowd):
    dataset = opened(crowd, clip_windows(crowd, range(4)))
    part = dataset[[3, 0]]
    (one,), (other,) = SkeletonLoader(part, 2), DataLoader(part, 2)
    equal(one, other)
    assert part.sequence_index.tolist() == [3, 0]
    assert torch.equal(crowd.labels[part.sequence_index], one.y)


def test_loader_shuffles_repeatably(crowd):
    windows = [Window(0, 0), Window(1, 0), Window(2, 0), Window(3, 0)]
    dataset = opened(crowd, windows)

    def order(seed):
        generator = torch.Generator().manual_seed(seed)
        loader = SkeletonLoader(dataset, 2, shuffle=True, generator=generator)
        return torch.cat([batch.x for batch in loader])

    assert torch.equal(order(1), order(1))
    assert not torch.equal(order(1), order(3))


def test_loader_made_anew_by_a_trainer(crowd):
    dataset = opened(crowd, [Window(0, 0)])
    loader = SkeletonLoader(dataset, collate_fn=list)
    assert torch.equal(next(iter(loader)).x, dataset[0].x)


def test_loader_of_subsets_and_joined_data_sets(crowd):
    dataset = opened(crowd, [Window(0, 0), Window(1, 0)])
    joined = ConcatDataset([Subset(dataset, [1]), dataset])
    batch = next(iter(SkeletonLoader(joined, 3)))
    whole = Batch.from_data_list([dataset[1], dataset[0], dataset[1]])
    for key, value in whole.to_dict().items():
        if key != "skeleton":
            assert torch.equal(batch[key], value), key


def test_still_channels_far_from_zero_keep_their_scale(tmp_path):
    random = np.random.default_rng(0)
    frames = np.broadcast_to(random.uniform(9e3, 1e4, (4, 3)), (500, 4, 3))
    frames = frames.copy()
    frames[:, 0] = random.normal(9e3, 20.0, (500, 3))
    skeleton = Skeleton(list("abcd"), [(1, 0), (2, 1), (3, 2)])
    store = SequenceStore.write(
        tmp_path / "s.h5", [MotionSequence("s", frames, 0)], skeleton, ["x"]
    )
    dataset = opened(
        store,
        all_windows(store, [0], num_observed=3, num_future=2),
        num_observed=3,
    )
    dataset.kind = "rotation"
    found = dataset.standardize()
    assert torch.equal(found.std[1:], torch.ones(3, 3))
    exact = store[0][0].double()
    torch.testing.assert_close(found.mean, exact.mean(0).float())
    torch.testing.assert_close(
        found.std[0], exact[:, 0].std(0, correction=0).float()
    )


def test_positions_share_one_deviation(crowd):
    dataset = opened(crowd, [Window(0, 0)])
    frames = crowd[0].flatten(0, 1)
    own = frames.std(dim=0, correction=0)
    shared = own.square().mean().sqrt().expand(3, 2)
    found = dataset.standardize()
    torch.testing.assert_close(found.mean, frames.mean(dim=0))
    torch.testing.assert_close(found.std, shared)
    dataset.num_coordinates = 1  # The other channel is a confidence.
    shared = own[:, :1].square().mean().sqrt().expand(3, 1)
    torch.testing.assert_close(
        dataset.standardize().std, torch.cat([shared, own[:, 1:]], dim=1)
    )


def test_standardize_of_a_part_sees_that_part(store):
    dataset = opened(
        store,
        all_windows(store, [0, 1], num_observed=3, num_future=2),
        num_observed=3,
    )
    part = dataset[len(dataset) - 2 :]
    torch.testing.assert_close(part.standardize().mean, store[1][0].mean(dim=0))
