import numpy as np
import pytest
import torch
from torch.utils.data import ChainDataset
from torch_geometric.loader import DataLoader

from symgnn_pyg import Skeleton
from symgnn_pyg.data import (
    MotionSequence,
    SequenceStore,
    ShardSampler,
    SkeletonLoader,
)
from symgnn_pyg.datasets import MotionDataset, all_windows
from symgnn_pyg.transforms import RandomJitter

ARM = Skeleton(["a", "b", "c"], [(1, 0), (2, 1)])


@pytest.fixture
def dataset(tmp_path):
    frames = np.random.default_rng(0).standard_normal((14, 3, 3))
    store = SequenceStore.write(
        tmp_path / "s.h5", [MotionSequence("s", frames, 0)], ARM, ["x"]
    )
    windows = all_windows(store, [0], num_observed=4, num_future=1)
    return MotionDataset(
        store,
        windows,
        num_observed=4,
        num_future=1,
        transform=RandomJitter(0.1),
    )


def run(loader):
    return torch.cat([batch.x for batch in loader])


@pytest.mark.parametrize(
    "workers",
    [{}, {"num_workers": 2}, {"num_workers": 2, "persistent_workers": True}],
    ids=["none", "workers", "persistent"],
)
def test_each_epoch_draws_anew(dataset, workers):
    loader = SkeletonLoader(dataset, 4, **workers)
    first, second = run(loader), run(loader)
    assert not torch.equal(first, second)
    torch.testing.assert_close(first, second, atol=1.5, rtol=0)
    again = SkeletonLoader(dataset, 4)
    assert torch.equal(run(again), first)
    assert torch.equal(run(again), second)


@pytest.mark.parametrize("persistent", [False, True])
def test_epoch_of_the_sampler(dataset, persistent):
    def make(**workers):
        sampler = ShardSampler(dataset, 1, 0, shuffle=False)
        return SkeletonLoader(dataset, 4, sampler=sampler, **workers)

    loader, plain = make(num_workers=1, persistent_workers=persistent), make()
    for epoch in (0, 3, 1):
        loader.sampler.set_epoch(epoch)
        plain.sampler.set_epoch(epoch)
        assert torch.equal(run(loader), run(plain))


@pytest.mark.parametrize("transform", [None, lambda data: data])
def test_keys_as_in_pyg(dataset, transform):
    dataset.transform = transform
    chosen = {"follow_batch": ["bone_x", "y"], "exclude_keys": ["x", "other"]}
    loaders = (
        loader(dataset, batch_size=4, **chosen)
        for loader in (DataLoader, SkeletonLoader)
    )
    for expected, batch in zip(*loaders, strict=True):
        assert set(batch.keys()) == set(expected.keys())
        for key in ("bone_x_batch", "bone_x_ptr", "y_batch", "future"):
            assert torch.equal(batch[key], expected[key]), key
        last = batch[batch.num_graphs - 1]
        assert torch.equal(last.bone_x, dataset[len(dataset) - 1].bone_x) or (
            batch.num_graphs == 4
        )


def test_seed(dataset):
    one, other = (SkeletonLoader(dataset, 4, seed=seed) for seed in (0, 1))
    assert not torch.equal(run(one), run(other))


def test_global_generator_is_left_alone(dataset):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    run(SkeletonLoader(dataset, 4, generator=torch.Generator()))
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("given", [0, 1, 2])
def test_goes_on_where_another_stopped(dataset, given):
    def make():
        return SkeletonLoader(dataset, 4, sampler=ShardSampler(dataset, 1, 0))

    whole = make()
    whole.sampler.set_epoch(2)
    batches, states = [], [{"epoch": 2, "batches": 0}]
    for batch in whole:
        batches.append(batch.x)
        states.append(whole.state_dict())
    rest = make()
    rest.load_state_dict(states[given])
    found = [batch.x for batch in rest]
    assert len(found) == 3 - given
    for one, other in zip(found, batches[given:], strict=True):
        assert torch.equal(one, other)


def test_refuses_data_without_an_index():
    with pytest.raises(TypeError, match=r"the ChainDataset, .*\.DataLoader"):
        SkeletonLoader(ChainDataset([]))


def test_only_a_shard_sampler_goes_on(dataset):
    with pytest.raises(ValueError, match="ShardSampler"):
        SkeletonLoader(dataset).load_state_dict({"epoch": 0, "batches": 1})
