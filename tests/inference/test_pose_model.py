import numpy as np
import pytest
import torch
from torch_geometric.data import Batch
from torch_geometric.transforms import Compose

from symgnn_pyg.data import SkeletonData
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.inference.answer_windows import CHUNK
from symgnn_pyg.nn import DualSymGNN, SymGNN
from symgnn_pyg.transforms import (
    Center,
    Mirror,
    NormalizeView,
    Observe,
    Resample,
    Standardize,
    ToBones,
)
from tests.inference.pipelines import (
    CLASSES,
    MEAN,
    PIPELINES,
    STANDARDIZE,
    STEPS,
    K,
    T,
    V,
    model_of,
    same,
    stacked,
    walk,
)


def by_pipeline(model, window, arm):
    """The class probabilities, by the transform of a data set."""
    data = SkeletonData(window.transpose(0, 1), skeleton=arm)
    if model.transform is not None:
        data = model.transform(data)
    inputs = (data.x, data.bone_x)[: 1 + isinstance(model.model, DualSymGNN)]
    with torch.no_grad():
        return model.model(*inputs).logits.softmax(dim=-1)[0]


# Preprocessing ###############################################################


@pytest.mark.parametrize("dual", [False, True])
@pytest.mark.parametrize("name", PIPELINES)
def test_recognises_as_the_pipeline_of_the_data(build, arm, name, dual):
    model = model_of(build, arm, name, dual)
    window = walk(model.num_observed)
    expected = by_pipeline(model, window, arm)
    answer = model(window)
    torch.testing.assert_close(
        stacked(answer), expected.double(), check_dtype=False
    )
    assert answer.action == CLASSES[int(expected.argmax())]
    assert answer.future.shape == (model.num_future, V, 3)


class Continues(SymGNN):
    """Predicts the poses that a data set's transform makes of the future."""

    def forward(self, x, num_bodies=None):
        out = super().forward(x, num_bodies)
        return out._replace(future=self.known)


def shaken(joint, transform, frames, future):
    """A motion whose centre and root stay put in the future, as they must
    where the transform removes them.
    """
    motion = walk(frames + future)
    # Linear, so that interpolation at another rate is exact.
    motion[frames - 3 :] = motion[frames - 3] + torch.arange(
        0.0, future + 3
    ).view(-1, 1, 1) * torch.randn(V, 3)
    if transform in ("center", "bones"):
        motion[frames:, joint] = motion[frames - 1, joint]
    return motion


@pytest.mark.parametrize("name", PIPELINES)
def test_predicts_in_the_unit_of_the_data(build, arm, name):
    """If the network predicts what the transform makes of the true future,
    the true future comes out.
    """
    model = model_of(build, arm, name)
    network = model.model
    joint = 2 if name == "center" else 0
    extra = 4  # Some resampled frames lie before the last raw one.
    motion = shaken(joint, name, model.num_observed, model.num_future + extra)
    x, future = motion.transpose(0, 1).split(
        [model.num_observed, model.num_future + extra], dim=1
    )
    data = SkeletonData(x, future=future, skeleton=arm)
    if model.transform is not None:
        data = model.transform(data)
    network.__class__ = Continues
    network.known = data.future[:, :STEPS]
    found = model(motion[: model.num_observed]).future
    expected = motion[model.num_observed :][: model.num_future]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_numbers_of_frames_are_those_of_the_data(build, arm):
    model = model_of(build, arm, "slower")
    # Frames 0, 2, ..., 10 are observed, 12 and 14 predicted, 11 to 14 given.
    assert (model.num_observed, model.num_future) == (11, 4)
    model = model_of(build, arm, "faster")
    assert (model.num_observed, model.num_future) == (5, 1)


@pytest.mark.parametrize(
    "transform",
    [Mirror(p=1.0), Observe(0.5), Compose([STANDARDIZE, Mirror()]), abs],
    ids=str,
)
def test_refuses_other_transforms_by_name(build, arm, transform):
    last = getattr(transform, "transforms", [transform])[-1]
    with pytest.raises(ValueError, match="of Center, Diff") as error:
        PoseModel(build(arm), transform)
    assert str(last) in str(error.value)


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (Standardize(MEAN[:4], MEAN[:4].abs()), r"5 joints .*joints=4"),
        (Center("nose"), "nose"),
        (NormalizeView((0, "nose"), (1, 2)), "nose"),
        (Resample(1, 2), "never gives 6 observed frames"),
        (ToBones(), "skeleton=.*of the data"),
    ],
    ids=str,
)
def test_refuses_a_transform_that_does_not_fit(build, arm, transform, message):
    with pytest.raises(ValueError, match=message):
        PoseModel(build(arm), transform)


def test_refuses_another_skeleton(build, arm):
    with pytest.raises(ValueError, match=r"turn into .*'arm'.* got .*'ntu25'"):
        PoseModel(build(arm), skeleton="ntu25")


# Windows, recordings and scenes ##############################################


@pytest.fixture
def model(build, arm):
    return model_of(build, arm, "velocities")


def test_one_is_as_in_a_batch(model):
    batch = walk(T, 3)
    together = model(batch)
    assert together.future.shape == (3, STEPS, V, 3)
    assert len(together.action) == 3
    assert {column.shape for column in together.probabilities.values()} == {
        (3,)
    }
    for i, window in enumerate(batch):
        alone = model(window)
        assert alone.action == together.action[i]
        torch.testing.assert_close(alone.future, together.future[i])
        torch.testing.assert_close(
            stacked(alone), stacked(together)[i], check_dtype=False
        )


def test_recording_is_answered_at_its_end(model):
    recording = walk(40)
    same(model(recording), model(recording[-T:]))


def test_recordings_of_different_lengths(model):
    recordings = [walk(T).numpy(), walk(T + 9).numpy()]
    answer = model(recordings)
    for i, recording in enumerate(recordings):
        alone = model(recording)
        assert answer.action[i] == alone.action
        np.testing.assert_allclose(answer.future[i], alone.future, rtol=1e-5)
    nested = [recording.tolist() for recording in recordings]
    same(model(nested), answer, check_dtype=False)


@pytest.mark.parametrize("lead", [(), (2,)])
def test_every_window(model, lead):
    recording = walk(20, *lead)
    answer = model(recording, stride=3)
    starts = range(0, 20 - T + 1, 3)
    assert answer.future.shape == (*lead, len(starts), STEPS, V, 3)
    for w, start in enumerate(starts):
        alone = model(recording[..., start : start + T, :, :])
        torch.testing.assert_close(answer.future[..., w, :, :, :], alone.future)
        torch.testing.assert_close(
            stacked(answer)[..., w, :], stacked(alone), check_dtype=False
        )


def test_long_recordings_pass_in_pieces(model):
    recording = walk(CHUNK // 2 + 30, 2)
    whole = model(recording, stride=1)
    num_windows = whole.future.shape[1]
    assert num_windows > CHUNK // 2
    for i in (0, CHUNK // 2 - 1, CHUNK // 2, num_windows - 1):
        window = recording[:, i : i + model.num_observed]
        torch.testing.assert_close(whole.future[:, i], model(window).future)


@pytest.mark.parametrize("name", ["none", "view", "nested"])
def test_bodies_of_a_scene(build, arm, name):
    """As the transform and the network treat them in a batch."""
    model = model_of(build, arm, name)
    motion, num_bodies = walk(model.num_observed, 5), [2, 1, 2]
    scenes = motion.transpose(1, 2).split(num_bodies)
    data = Batch.from_data_list(
        [SkeletonData(x.flatten(0, 1), skeleton=arm) for x in scenes]
    )
    if model.transform is not None:
        data = model.transform(data)
    with torch.no_grad():
        logits = model.model(data.x, data.num_bodies).logits
    answer = model(motion, num_bodies=num_bodies)
    torch.testing.assert_close(
        stacked(answer), logits.softmax(dim=-1), check_dtype=False
    )
    assert answer.future.shape == (5, model.num_future, V, 3)
    windows = model(motion, num_bodies=num_bodies, stride=1)
    assert stacked(windows).shape == (3, 1, K)


def test_network_keeps_its_mode(model):
    before = {n: b.clone() for n, b in model.named_buffers()}
    modules = [*model.model.modules()]
    for training in ([False] * len(modules), [True, False] * len(modules)):
        for module, mode in zip(modules, training, strict=False):
            module.training = mode
        assert not model(walk(T, 8)).future.requires_grad
        assert [m.training for m in modules] == training[: len(modules)]
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, before[name])


def test_one_head(build, arm):
    answer = PoseModel(build(arm, num_classes=0))(walk(T))
    assert answer.action is answer.probabilities is None
    assert answer.future.shape == (STEPS, V, 3)
    answer = PoseModel(build(arm, num_future=0))(walk(T, 2).numpy())
    assert answer.future is None
    assert [*answer.probabilities] == ["0", "1", "2", "3"]


# Errors and names ############################################################


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stride": 0}, "'stride' must be at least 1, got 0"),
        ({"num_bodies": [3]}, r"2 in all as in 'motion', got \[3\]"),
        ({"num_bodies": [2, 0]}, "number of bodies of each scene"),
        ({"num_bodies": [1.0, 1.0]}, "number of bodies of each scene"),
    ],
)
def test_wrong_arguments(model, arguments, message):
    with pytest.raises(ValueError, match=message):
        model(walk(T, 2), **arguments)


def test_stride_of_another_type(model):
    with pytest.raises(TypeError, match="'stride' must be an integer"):
        model(walk(T), stride=1.5)


def test_ragged_recordings_have_no_windows(model):
    with pytest.raises(ValueError, match=r"got \[6, 7\]; pass them one by one"):
        model([walk(6), walk(7)], stride=1)


def test_wrong_networks_and_names(build, arm):
    with pytest.raises(TypeError, match=r"one of SymGNN, .*, got Linear"):
        PoseModel(torch.nn.Linear(1, 1))
    for classes in (["a"], ["a", "a", "b", "c"]):
        with pytest.raises(ValueError, match="4 classes of the network"):
            PoseModel(build(arm), classes=classes)
    for classes in ("abcd", {*"abcd"}, dict.fromkeys("abcd")):
        with pytest.raises(TypeError, match="'classes' to be a list of names"):
            PoseModel(build(arm), classes=classes)


def test_repr(build, arm):
    assert str(PoseModel(build(arm), STANDARDIZE)) == (
        "PoseModel(SymGNN, Skeleton('arm', joints=5, bones=4, parts=3, "
        "centre='chest'), samples='windows', num_observed=6, num_future=2, "
        "num_classes=4, "
        "transform=Standardize(joints=5, channels=3))"
    )
