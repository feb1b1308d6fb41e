import copy
import pickle

import numpy as np
import pytest
import torch
from torch_geometric import transforms as of_pyg
from torch_geometric.data import Batch
from torch_geometric.data.datapipes import DatasetAdapter
from torch_geometric.loader import DataLoader
from torch_geometric.transforms import Compose

from symgnn_pyg import Skeleton, transforms
from symgnn_pyg.data import SkeletonData
from symgnn_pyg.transforms import (
    Center,
    ChangeSpeed,
    Difference,
    JointDropout,
    Mirror,
    MotionTransform,
    NormalizeView,
    Observe,
    PartDropout,
    RandomJitter,
    RandomRotation,
    RandomScale,
    RandomShear,
    Resample,
    Reverse,
    Standardize,
    TemporalCrop,
    TemporalTransform,
    ToBones,
    UniformSample,
)

NAN, INFINITE = float("nan"), float("inf")
FIXED = [
    Center(),
    Center("neck", per_frame=False),
    Difference(2),
    Mirror(p=1.0),
    Mirror(p=1.0, kind="rotation"),
    NormalizeView(("hip", "neck"), ("right hand", "left hand")),
    Observe(0.5),
    Resample(30, 20),
    Reverse(p=1.0),
    Standardize(torch.ones(4, 3), torch.full((4, 3), 2.0)),
    UniformSample(4, random=False),
]
RANDOM = [
    ChangeSpeed((0.5, 0.9)),
    JointDropout(0.5),
    Mirror(),
    PartDropout(0.5),
    RandomJitter(0.1),
    RandomRotation(30),
    RandomScale((0.5, 2.0)),
    RandomShear(0.3),
    Reverse(),
    TemporalCrop((0.3, 0.6)),
    UniformSample(4),
]
ALL = FIXED + RANDOM
OWN_DRAWS = (JointDropout, PartDropout, RandomJitter)


class Negate(MotionTransform):
    """Also shows what 'transform' is given."""

    def transform(self, motion, skeleton, sample):
        self.given = motion.clone(), skeleton, sample
        return motion.mul_(-1)


def tensors(data):
    return {k: v for k, v in data.items() if isinstance(v, torch.Tensor)}


def test_every_motion_transform_is_tried():
    named = {getattr(transforms, name) for name in transforms.__all__}
    kinds = {
        kind
        for kind in named
        if isinstance(kind, type) and issubclass(kind, MotionTransform)
    }
    assert kinds - {MotionTransform, TemporalTransform} == set(map(type, ALL))


@pytest.mark.parametrize("transform", ALL, ids=str)
def test_is_shown_as_it_is_written(transform):
    if not isinstance(transform, Standardize):
        again = eval(repr(transform), vars(transforms))
        assert vars(again) == vars(transform)
    assert repr(ToBones()) == "ToBones()"
    assert repr(Center("hip", False)) == "Center(joint='hip', per_frame=False)"
    assert repr(RandomRotation(15)) == "RandomRotation(degrees=(15, 15, 15))"


def test_observed_and_future_frames_are_one_motion(sample, body):
    data = sample(bodies=2)
    negate = Negate()
    done = negate(data)
    motion, skeleton, index = negate.given
    assert motion.shape == (2, 4, 10, 3)
    assert torch.equal(motion[1, 2, :6], data.x[6])
    assert torch.equal(motion[1, 2, 6:], data.future[6])
    assert skeleton == body
    assert index.tolist() == [0, 0]
    assert torch.equal(done.x, -data.x)
    assert torch.equal(done.future, -data.future)
    assert torch.equal(done.bone_x, -data.bone_x)


def test_a_batch_is_one_call(sample):
    samples = [sample(bodies=b, seed=b) for b in (2, 1, 3)]
    (batch,) = DataLoader(samples, batch_size=3)
    negate = Negate()
    done = negate(batch)
    assert negate.given[0].shape == (6, 4, 10, 3)
    assert negate.given[2].tolist() == [0, 0, 1, 2, 2, 2]
    for before, after in zip(samples, done.to_data_list(), strict=True):
        assert torch.equal(after.x, -before.x)
        assert torch.equal(after.future, -before.future)
        assert torch.equal(after.bone_x, -before.bone_x)
        assert torch.equal(after.edge_index, before.edge_index)


@pytest.mark.parametrize("transform", FIXED, ids=str)
def test_batch_and_samples_agree(transform, sample):
    samples = [sample(bodies=b, seed=b) for b in (1, 2, 1)]
    batch = transform(Batch.from_data_list(samples))
    single = Batch.from_data_list([transform(data) for data in samples])
    assert tensors(batch).keys() == tensors(single).keys()
    for key, value in tensors(single).items():
        torch.testing.assert_close(batch[key], value)


@pytest.mark.parametrize("transform", ALL, ids=str)
def test_leaves_the_input_alone(transform, sample):
    for data in (sample(bodies=2), Batch.from_data_list([sample(), sample()])):
        before = copy.deepcopy(data)
        transform(data)
        assert before.keys() == data.keys()
        for key, value in tensors(before).items():
            assert torch.equal(data[key], value), key


@pytest.mark.parametrize("transform", ALL, ids=str)
def test_graphs_labels_and_type(transform, sample, dtype):
    data = sample(bodies=2, dtype=dtype, y=3)
    done = transform(data)
    assert type(done) is SkeletonData
    assert done.skeleton == data.skeleton
    assert done.y.tolist() == [3]
    for key in ("edge_index", "joint_to_part", "bone_edge_index"):
        assert torch.equal(done[key], data[key])
    for key in {"x", "future", "bone_x"} & set(done.keys()):
        assert done[key].dtype == dtype
        assert done[key].is_contiguous()
    child, parent = data.skeleton.bone_index
    x = done.x.view(2, 4, -1, 3)
    torch.testing.assert_close(
        done.bone_x.view(2, 3, -1, 3), x[:, child] - x[:, parent]
    )


@pytest.mark.parametrize("transform", ALL, ids=str)
@pytest.mark.parametrize("present", [False, True])
def test_without_future_frames(transform, present, sample):
    full = sample(num_future=0)
    data = copy.copy(full)
    if not present:
        del data.future
    del data.bone_x
    torch.manual_seed(0)
    done = transform(data)
    assert "bone_x" not in done
    assert ("future" in done) == (
        present and not isinstance(transform, Observe)
    )
    if "future" in done:
        assert done.future.shape == (4, 0, 3)
    torch.manual_seed(0)
    assert torch.equal(transform(full).x, done.x)


@pytest.mark.parametrize("transform", RANDOM, ids=str)
def test_seeds_repeat(transform, sample):
    data = sample(bodies=2, num_observed=20)
    runs = []
    for seed in (0, 0, *range(1, 10)):
        torch.manual_seed(seed)
        runs.append(transform(data).x)
    assert torch.equal(runs[0], runs[1])
    assert any(not torch.equal(runs[0], run) for run in runs[2:])


@pytest.mark.parametrize(
    "transform", [t for t in RANDOM if type(t) not in OWN_DRAWS], ids=str
)
def test_bodies_of_a_sample_share_what_is_drawn(transform, sample):
    twin = sample()
    twin = SkeletonData(
        x=twin.x.repeat(2, 1, 1),
        future=twin.future.repeat(2, 1, 1),
        skeleton=twin.skeleton,
    )
    torch.manual_seed(0)
    x = transform(Batch.from_data_list([twin] * 8)).x.view(8, 2, 4, -1, 3)
    torch.testing.assert_close(x[:, 0], x[:, 1])
    assert any(not torch.allclose(x[0], other) for other in x[1:])


@pytest.mark.parametrize(
    "transform", [t for t in RANDOM if type(t) in OWN_DRAWS], ids=str
)
def test_bodies_that_draw_for_themselves(transform, sample):
    data = sample()
    twin = SkeletonData(x=data.x.repeat(9, 1, 1), skeleton=data.skeleton)
    torch.manual_seed(0)
    first, *others = transform(twin).x.view(9, 4, -1, 3)
    assert any(not torch.equal(first, other) for other in others)


@pytest.mark.parametrize("transform", ALL, ids=str)
def test_pickle(transform, sample):
    again = pickle.loads(pickle.dumps(transform))
    assert repr(again) == repr(transform)
    torch.manual_seed(0)
    x = again(sample()).x
    torch.manual_seed(0)
    assert torch.equal(transform(sample()).x, x)


def test_compose_and_functional_name(sample):
    data = sample()
    both = Compose([Center(), Difference()])(data)
    (piped,) = DatasetAdapter([data]).center_motion().difference()
    assert torch.equal(both.x, piped.x)
    assert both.x[data.skeleton.centre].eq(0).all()


@pytest.mark.parametrize(
    ("name", "arguments", "transform"),
    [
        ("center", [], of_pyg.Center),
        ("random_jitter", [0.1], of_pyg.RandomJitter),
        ("random_scale", [(0.5, 2.0)], of_pyg.RandomScale),
        ("random_shear", [0.1], of_pyg.RandomShear),
    ],
)
def test_names_of_pyg_are_its_own(name, arguments, transform):
    piped = getattr(DatasetAdapter([]), name)(*arguments)
    assert type(piped.fn) is transform


@pytest.mark.parametrize("transform", [*ALL, ToBones()], ids=str)
def test_integers_that_were_set_later(transform, sample):
    data = sample()
    data.x = data.x.int()
    with pytest.raises(
        TypeError, match=r"'x' .* torch\.int32; .* x\.float\(\)"
    ):
        transform(data)


@pytest.mark.parametrize("transform", [*ALL, ToBones()], ids=str)
def test_no_skeleton_or_several(transform, sample):
    with pytest.raises(ValueError, match=r"data with a 'skeleton'"):
        transform(SkeletonData(x=torch.zeros(4, 2, 3)))
    batch = Batch.from_data_list(
        [sample(), sample(skeleton=Skeleton.get("ntu25"))]
    )
    with pytest.raises(
        ValueError, match=r"of one skeleton, .*'small'.*'ntu25'.*before batchi"
    ):
        transform(batch)


def test_x_that_does_not_fit(sample):
    data = sample()
    data.x = torch.zeros(4, 2)
    with pytest.raises(ValueError, match=r"\[B \* 4, T, C\].*got \[4, 2\]"):
        Center()(data)


def test_no_x(body):
    with pytest.raises(ValueError, match=r"'x' of shape.*got None"):
        Center()(SkeletonData(skeleton=body))


@pytest.mark.parametrize(
    "transform",
    [
        ChangeSpeed((1, 1)), JointDropout(0.0), Mirror(p=0.0), RandomJitter(0),
        RandomRotation(0), RandomScale((1, 1)), RandomShear(0),
        Resample(30, 30), Reverse(p=0.0), TemporalCrop((1, 1)),
    ],
    ids=str,
)  # fmt: skip
def test_no_change(transform, sample, dtype):
    data = sample(bodies=2, dtype=dtype)
    done = transform(data)
    assert torch.equal(done.x, data.x)
    assert torch.equal(done.future, data.future)


@pytest.mark.parametrize("kind", [Mirror, Reverse])
def test_probability(kind, sample):
    batch = Batch.from_data_list([sample(bodies=2)] * 400)
    done, changed = kind(p=0.3)(batch), kind(p=1.0)(batch)
    same = (done.x == batch.x).view(400, -1).all(dim=1)
    # The standard error is sqrt(0.3 * 0.7 / 400) = 0.023.
    assert abs(1 - same.double().mean() - 0.3) < 0.07
    chosen = ~same.repeat_interleave(8)
    for key in ("x", "future"):
        assert torch.equal(done[key][chosen], changed[key][chosen])
        assert torch.equal(done[key][~chosen], batch[key][~chosen])


@pytest.mark.parametrize(
    "transform",
    [
        Mirror(p=1.0, kind="rotation"),
        NormalizeView(("hip", "neck"), (2, 3)),
        RandomRotation(5),
    ],
    ids=str,
)
@pytest.mark.parametrize("channels", [2, 4])
def test_three_channels_are_required(transform, channels, body):
    data = SkeletonData(x=torch.ones(4, 2, channels), skeleton=body)
    message = rf"three channels, got shape \[1, 4, 2, {channels}\]"
    with pytest.raises(ValueError, match=message):
        transform(data)


def test_unknown_joint(sample):
    for transform in (Center("tail"), NormalizeView(("tail", "neck"), (2, 3))):
        with pytest.raises(ValueError, match=r"Unknown joint 'tail'"):
            transform(sample())


@pytest.mark.parametrize(
    ("kind", "message", "values"),
    [
        (ChangeSpeed, r"'factors' must be.*high <= 1, got",
         [(0.5, 2), (0, 1), (0.9, 0.8)]),
        (Difference, "'order' must be at least 0", [-1]),
        (JointDropout, "'p' must lie between 0 and 1", [-0.1, 1.1, NAN]),
        (Mirror, "'axis' must not be negative, got -1", [-1]),
        (lambda p: Mirror(p=p), "'p' must lie between 0 and 1, got 1.5", [1.5]),
        (lambda kind: Mirror(kind=kind), "'kind' must be one of .*'rotation'.*"
         "'angle'", ["angle"]),
        (Observe, "'ratio' must be greater than 0 and at most 1",
         [0, 1.1, -0.5, NAN]),
        (RandomJitter, "'std' must not be negative, got -1", [-1]),
        (RandomRotation, "'degrees' must be one or three",
         [-1, (1, 2), (0, 0, -3), INFINITE]),
        (RandomScale, "'scales' must be.*0 < low <= high",
         [(0, 1), (2, 1), (1, INFINITE), 0.9, np.float32(0.9), (1, 2, 3)]),
        (RandomShear, "'shear' must not be negative", [-0.1]),
        (lambda rate: Resample(rate, 1), "'source_rate' must be positive",
         [0, -1, NAN]),
        (lambda rate: Resample(1, rate), "'target_rate' must be positive",
         [0, -1, NAN]),
        (Reverse, "'p' must lie between 0 and 1", [-0.5]),
        (TemporalCrop, r"'ratios' must.*<= high <= 1, got",
         [(0, 1), (0.5, 1.1), (0.6, 0.5)]),
        (UniformSample, "'num_frames' must be at least 1", [0]),
    ],
)  # fmt: skip
def test_bad_arguments(kind, message, values):
    for value in values:
        with pytest.raises(ValueError, match=message):
            kind(value)
