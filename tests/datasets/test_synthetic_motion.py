import pickle

import numpy as np
import pytest
import torch

from symgnn_pyg.datasets import SyntheticMotion
from symgnn_pyg.datasets.synthetic_actions import ACTIONS
from symgnn_pyg.datasets.synthetic_motion import perform
from symgnn_pyg.skeleton import Skeleton, cmu_positions

CMU26 = Skeleton.get("cmu26")

SIZES = {"train": 96, "val": 24, "test": 32}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("synthetic")


@pytest.fixture(scope="module")
def store(root):
    return SyntheticMotion(root).store


@pytest.mark.parametrize("split", SIZES)
def test_sizes_and_classes(root, split):
    dataset = SyntheticMotion(root, split)
    sequences = {window.sequence for window in dataset.windows}
    assert len(sequences) == SIZES[split]
    labels = dataset.store.labels[sorted(sequences)]
    assert labels.bincount().tolist() == [SIZES[split] // 8] * 8
    assert dataset.classes == list(ACTIONS)
    assert dataset.skeleton == CMU26


def test_splits_are_disjoint(root):
    seen = [
        {window.sequence for window in SyntheticMotion(root, split).windows}
        for split in SIZES
    ]
    assert sum(map(len, seen)) == len(set.union(*seen)) == 152


def test_sample(root):
    data = SyntheticMotion(root, "test", num_observed=20, num_future=10)[3]
    assert data.x.shape == (26, 20, 3)
    assert data.future.shape == (26, 10, 3)
    assert data.x.dtype == torch.float32


def test_test_windows_spread_over_a_sequence(root):
    dataset = SyntheticMotion(root, "test")
    starts = [window.start for window in dataset.windows[:4]]
    assert (starts[0], starts[-1]) == (0, 160 - 75)
    assert len(dataset) == 4 * 32


def test_sequences_are_finite_and_different(store):
    frames = torch.cat([store[i] for i in range(len(store))])
    assert frames.shape == (152, 160, 26, 3)
    assert frames.isfinite().all()
    assert frames.std(dim=1).amax(dim=(1, 2)).min() > 0.05
    gap = torch.cdist(frames.flatten(1), frames.flatten(1))
    assert gap.fill_diagonal_(1e9).min() > 1.0


def test_seeds(root, store):
    again = SyntheticMotion(root / "again").store
    other = SyntheticMotion(root, seed=1).store
    assert torch.equal(again.read(5, 0, 9), store.read(5, 0, 9))
    assert not torch.equal(other.read(5, 0, 9), store.read(5, 0, 9))
    assert (root / "synthetic_motion_1.h5").is_file()


@pytest.mark.parametrize("action", ACTIONS)
def test_bones_keep_their_length(action):
    pose = torch.from_numpy(perform(action, np.random.default_rng(3)))
    position = cmu_positions(pose.double())
    child, parent = CMU26.bone_index
    # The legs close over hips that turn apart from the back.
    rigid = [
        i
        for i, (c, _) in enumerate(CMU26.bones)
        if CMU26.joints[c] not in ("lfemur", "rfemur")
    ]
    bones = position[:, child[rigid]] - position[:, parent[rigid]]
    length = bones.norm(dim=-1)
    torch.testing.assert_close(length, length[:1].expand_as(length))
    assert position.std(dim=0).max() > 0.02


def test_bodies_stay_upright(store):
    position = cmu_positions(store[0][0])
    head, foot = CMU26.index("head"), CMU26.index("lfoot")
    assert (position[:, head, 1] > position[:, foot, 1] + 1.0).all()


def test_pickles(root):
    dataset = SyntheticMotion(root, "val")
    again = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(again[7].x, dataset[7].x)


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        ({"split": "dev"}, "'split' must be one of .*'dev'"),
        ({"num_observed": 150}, r"160 frames, fewer than 150 \+ 25"),
        ({"num_observed": 0}, "'num_observed' must be at least 1, got 0"),
    ],
)
def test_bad_arguments(tmp_path, arguments, culprit):
    with pytest.raises(ValueError, match=culprit):
        SyntheticMotion(tmp_path, **arguments)
    assert not list(tmp_path.iterdir())
