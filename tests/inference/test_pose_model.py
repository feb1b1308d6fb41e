import json

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch
from torch_geometric.transforms import Compose

from symgnn_pyg import Skeleton
from symgnn_pyg.data import SkeletonData
from symgnn_pyg.errors import DataError
from symgnn_pyg.inference import PoseModel, PoseOutput
from symgnn_pyg.inference.pose_model import CHUNK
from symgnn_pyg.nn import DualSymGNN, SymGNN
from symgnn_pyg.nn.models.pretrained_files import pretrained_names
from symgnn_pyg.transforms import (
    Center,
    Difference,
    Mirror,
    NormalizeView,
    Observe,
    Resample,
    Standardize,
    ToBones,
)

V, T, K, STEPS = 5, 6, 4, 2
CLASSES = ["bow", "clap", "jump", "wave"]
MEAN = torch.linspace(-1, 1, V * 3).view(V, 3)
STANDARDIZE = Standardize(MEAN, 0.5 + MEAN.abs())
VIEW = NormalizeView(spine=("chest", 2), shoulders=(3, "hand"))
# Preprocessing as networks are trained with, nested as users nest it.
PIPELINES = {
    "none": None,
    "standardize": STANDARDIZE,
    "compose of one": Compose([STANDARDIZE]),
    "center": Center("elbow"),
    "center on the first frame": Center("elbow", per_frame=False),
    "velocities": Compose([STANDARDIZE, Difference()]),
    "accelerations": Difference(2),
    "view": Compose([Center(0, per_frame=False), VIEW]),
    "slower": Compose([Resample(50, 25), STANDARDIZE]),
    "faster": Compose([STANDARDIZE, Resample(20, 25)]),
    "bones": Compose([Center(), ToBones()]),
    "nested": Compose(
        [
            Compose([Center(1, per_frame=False), Compose([VIEW])]),
            Resample(3, 2),
            Compose([STANDARDIZE, Difference(1), ToBones()]),
        ]
    ),
}


def model_of(build, arm, name, dual=False, **kwargs):
    transform = PIPELINES[name]
    bones = name in ("bones", "nested")
    skeleton = arm.dual() if bones else arm
    network = build(skeleton, **kwargs)
    if dual:
        network = DualSymGNN(network, build(skeleton.dual(), **kwargs)).eval()
    return PoseModel(network, transform, classes=CLASSES, skeleton=arm)


def walk(frames, *lead):
    """Random walks, of shape [*, T, V, C]."""
    return torch.randn(*lead, frames, V, 3).cumsum(dim=-3)


def by_pipeline(model, window, arm):
    """The class probabilities, by the transform of a data set."""
    data = SkeletonData(window.transpose(0, 1), skeleton=arm)
    if model.transform is not None:
        data = model.transform(data)
    inputs = (data.x, data.bone_x)[: 1 + isinstance(model.model, DualSymGNN)]
    with torch.no_grad():
        return model.model(*inputs).logits.softmax(dim=-1)[0]


def stacked(answer):
    columns = map(torch.as_tensor, answer.probabilities.values())
    return torch.stack([*columns], dim=-1)


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


# Kinds of input ##############################################################


@pytest.fixture
def model(build, arm):
    return model_of(build, arm, "velocities")


def same(one, other, **kwargs):
    assert isinstance(one, PoseOutput)
    assert one.action == other.action
    torch.testing.assert_close(
        native(one.future), native(other.future), **kwargs
    )
    torch.testing.assert_close(stacked(one), stacked(other), **kwargs)


def native(array):
    if isinstance(array, np.ndarray):
        array = array.astype(array.dtype.newbyteorder("="))
    return torch.as_tensor(array)


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x.numpy(),
        lambda x: x.double().numpy(),
        lambda x: x.double(),
        lambda x: x.half(),
        lambda x: x.numpy().astype(">f4"),
        lambda x: x.numpy()[:, ::-1][:, ::-1],
        lambda x: np.ma.masked_invalid(x.numpy()),
        lambda x: x.clone().requires_grad_(),
    ],
)
def test_kind_of_array_is_kept(model, convert):
    motion = walk(T).half().float()
    given = convert(motion)
    answer = model(given)
    assert isinstance(answer.future, (torch.Tensor, np.ndarray))
    assert isinstance(answer.future, torch.Tensor) == isinstance(
        given, torch.Tensor
    )
    assert answer.future.dtype == given.dtype
    half = given.dtype == torch.half
    tolerance = {"rtol": 1e-2, "atol": 1e-2} if half else {}
    same(answer, model(motion), check_dtype=False, **tolerance)


def test_lists_and_integers(model):
    motion = (10 * walk(T)).round()
    expected = model(motion)
    for given in (
        motion.tolist(),
        [*motion],
        [*motion.numpy()],
        tuple(motion.numpy()),
        motion.long(),
        motion.long().numpy(),
    ):
        same(model(given), expected, check_dtype=False)


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


# Gaps ########################################################################


def test_gaps_are_refused_or_filled(model):
    whole = walk(20)
    whole[-4:] = whole[-4] + torch.arange(4.0).view(-1, 1, 1)
    motion = whole.clone()
    motion[-3:-1, 3] = torch.nan
    with pytest.raises(ValueError, match=r"'wrist' is NaN in frame 17 \(one"):
        model(motion)
    same(model(motion, fill_gaps=True), model(whole))
    masked = np.ma.masked_array(whole.numpy(), motion.isnan().numpy())
    with pytest.raises(ValueError, match="fill_gaps=True"):
        model(masked)
    same(model(masked, fill_gaps=True), model(whole))


def test_gaps_outside_the_window_do_not_matter(model):
    motion = walk(20)
    motion[3, 2] = torch.nan
    same(model(motion), model(motion[-T:]))
    with pytest.raises(ValueError, match=r"'motion\[1\]'.*'elbow'.*frame 3"):
        model([motion[5:], motion], stride=None) and model(
            torch.stack([motion[:8].nan_to_num(), motion[:8]]), stride=1
        )


def test_absent_joints_and_infinity_are_refused(model):
    motion = walk(20)
    motion[7, 1, 2] = torch.inf
    with pytest.raises(ValueError, match=r"'shoulder' is infinite in frame 7"):
        model(motion, stride=1)
    motion[:, 1] = torch.nan
    with pytest.raises(DataError, match="joint 1 is missing in every frame"):
        model(motion, fill_gaps=True)


# Errors ######################################################################


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((V, 20, 3), r"got \[5, 20, 3\]; .*motion.transpose\(1, 0, 2\)"),
        ((3, 20, V), r"motion.transpose\(1, 2, 0\)"),
        ((20, 3, V), r"motion.transpose\(0, 2, 1\)"),
        ((8, 3, 20, V), r"motion.transpose\(0, 2, 3, 1\)"),
        ((8, 3, 20, V, 2), r"transpose\(0, 4, 2, 3, 1\).reshape\(-1, 20, 5, 3\)"
         r" and num_bodies=\[2\] \* 8"),
        ((20, V * 3), r"motion.reshape\(20, 5, 3\)"),
        ((8, 20, V * 3), r"motion.reshape\(8, 20, 5, 3\)"),
        ((V, 3), "single pose.*Stream"),
        ((T - 1, V, 3), "at least 6.*5 frames are too few.*Stream"),
        ((0, V, 3), "0 frames are too few"),
        ((0, 20, V, 3), "no recordings"),
        ((20, V + 2, 3), "trained on 5 joints"),
        ((20, V, 4), r"3 channels: pass only those.*motion\[..., :3\]"),
        ((20, V, 2), "trained on 3 channels$"),
        ((), r"got \[\]$"),
    ],
)  # fmt: skip
def test_shape_errors_tell_the_cure(model, shape, message):
    with pytest.raises(ValueError, match=message):
        model(np.zeros(shape))


def test_cures_work(model):
    motion = walk(20)
    expected = model(motion)
    for order in ((1, 0, 2), (2, 0, 1), (2, 1, 0), (0, 2, 1)):
        with pytest.raises(ValueError, match="permute") as error:
            model(motion.permute(order))
        cure = str(error.value).rpartition("pass ")[2]
        same(model(eval(cure, {"motion": motion.permute(order)})), expected)


@pytest.mark.parametrize(
    "motion", ["abc", None, {"x": 1}, np.array(["a"]), [[[None]]]]
)
def test_refuses_what_is_not_a_number(model, motion):
    with pytest.raises(TypeError, match="Expected numbers in 'motion', got"):
        model(motion)


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


def test_ragged_recordings_have_no_windows(model):
    with pytest.raises(ValueError, match=r"got \[6, 7\]; pass them one by one"):
        model([walk(6), walk(7)], stride=1)


def test_wrong_networks_and_names(build, arm):
    with pytest.raises(TypeError, match=r"one of SymGNN, .*, got Linear"):
        PoseModel(torch.nn.Linear(1, 1))
    for classes in (["a"], ["a", "a", "b", "c"]):
        with pytest.raises(ValueError, match="4 classes of the network"):
            PoseModel(build(arm), classes=classes)


# Files #######################################################################


@pytest.mark.parametrize("dual", [False, True])
@pytest.mark.parametrize("name", PIPELINES)
def test_everything_travels_with_the_model(build, arm, tmp_path, name, dual):
    model = model_of(build, arm, name, dual)
    model.save_pretrained(tmp_path / "model", frame_rate=25.0)
    again = PoseModel.from_pretrained(tmp_path / "model", arm)
    assert not again.training
    assert again.classes == CLASSES
    assert again.skeleton == arm
    assert again.about["frame_rate"] == 25.0
    assert [*map(repr, again.network.steps)] == [
        *map(repr, model.network.steps)
    ]
    motion = walk(30)
    same(again(motion), model(motion), rtol=0, atol=0)
    again.save_pretrained(tmp_path / "again")
    for file in ("config.json", "model.safetensors"):
        one, other = (tmp_path / n / file for n in ("model", "again"))
        assert one.read_bytes() == other.read_bytes()


def test_double_precision_of_statistics_survives(build, arm, tmp_path):
    mean = MEAN.double() / 3
    model = PoseModel(build(arm), Standardize(mean, mean.abs() + 1 / 3))
    model.save_pretrained(tmp_path)
    again = PoseModel.from_pretrained(tmp_path).transform
    assert torch.equal(again.mean, mean)
    assert torch.equal(again.std, model.transform.std)


def test_subfolder(build, arm, tmp_path):
    PoseModel(build(arm)).save_pretrained(tmp_path / "a" / "b")
    again = PoseModel.from_pretrained(tmp_path / "a", subfolder="b")
    assert again.skeleton == arm


def test_hub_id_with_revision_and_subfolder(build, arm, tmp_path, monkeypatch):
    PoseModel(build(arm), STANDARDIZE).save_pretrained(tmp_path / "sub")
    asked = []

    class Hub:
        @staticmethod
        def hf_hub_download(repo_id, filename, *, subfolder, revision):
            asked.append((repo_id, subfolder, revision))
            return str(tmp_path / subfolder / filename)

    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", Hub)
    again = PoseModel.from_pretrained(
        "someone/arms", revision="v2", subfolder="sub"
    )
    assert again.transform.mean.shape == (V, 3)
    assert set(asked) == {("someone/arms", "sub", "v2")}


@pytest.mark.parametrize("name", pretrained_names())
def test_shipped_weights(name):
    model = PoseModel.from_pretrained(name, "cmu26")
    about = model.about
    mean, std = (torch.tensor(about[key]) for key in ("mean", "std"))
    motion = torch.randn(model.num_observed, 26, 3)
    transform = Standardize(mean, std)
    x = (motion.transpose(0, 1) - mean[:, None]) / transform.std[:, None]
    with torch.no_grad():
        out = model.model(x)
    answer = model(motion)
    assert [*answer.probabilities] == about["classes"]
    torch.testing.assert_close(
        answer.future, transform.inverse(out.future).transpose(0, 1)
    )


def test_model_card(build, arm, tmp_path):
    model = PoseModel(build(arm), Compose([Center(), STANDARDIZE]),
                      classes=["bow", "cl|ap", "jump", "wave"])  # fmt: skip
    model.save_pretrained(
        tmp_path / "arms",
        license="mit",
        data={"source": "a robot's log", "recordings": 20},
        trained=["bow", "cl|ap"],
        metrics={"error": 0.123456},
        command="python train.py --seed 1",
        unit="mm",
    )
    card = (tmp_path / "arms" / "README.md").read_text()
    for part in (
        'license: "mit"', "# arms", "from_pretrained('arms')",
        "chest, shoulder, elbow, wrist, hand", "- bow\n", "- cl\\|ap\n",
        "- wave (not trained on)", "| recordings | 20 |", "| error | 0.1235 |",
        "| unit | mm |",
        "python train.py --seed 1", "Center(joint=None, per_frame=True), Stand",
        f"{sum(p.numel() for p in model.parameters()):,}",
    ):  # fmt: skip
        assert part in card
    model.save_pretrained(tmp_path / "arms")
    assert "Not stated" in (tmp_path / "arms" / "README.md").read_text()


def test_other_readme_is_kept(build, arm, tmp_path):
    (tmp_path / "README.md").write_text("My project")
    with pytest.warns(UserWarning, match="not a model card .* was kept"):
        PoseModel(build(arm)).save_pretrained(tmp_path)
    assert (tmp_path / "README.md").read_text() == "My project"
    assert PoseModel.from_pretrained(tmp_path).skeleton == arm


def step(name, **arguments):
    return {"class": name, "arguments": arguments}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"transform": 3}, "must list"),
        ({"transform": ["os.system"]}, "'transform' does not describe"),
        ({"transform": [step("Mirror", axis=0)]}, "got 'Mirror'"),
        ({"transform": [step("Center", jiont=0)]}, "jiont"),
        ({"transform": [step("Center", joint="nose")]}, "nose"),
        ({"transform": [step("Difference", order=10**9)]}, "at most 100"),
        ({"transform": [step("Difference", order="1")]}, "does not describe"),
        ({"transform": [{"class": "Center"}]}, "arguments"),
        ({"transform": [step("Standardize", mean=[[1]], std=[])]}, "shape"),
        ({"transform": [step("Center")] * 101}, "at most 100"),
        ({"mean": [[0.0]]}, "'mean' and 'std'"),
        ({"skeleton": {"joints": ["a"]}}, "'skeleton' does not describe"),
        ({"skeleton": {"joints": ["a"] * 1001}},
         "'joints' must be at most 1000, got 1001"),
        ({"skeleton": Skeleton.get("ntu25").to_dict()}, "ntu25"),
        ({"classes": ["a"]}, "4 classes of the network"),
    ],
)  # fmt: skip
def test_damaged_files_are_refused(build, arm, tmp_path, entry, message):
    PoseModel(build(arm)).save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    if "mean" in entry:
        del config["about"]["transform"]
    config["about"].update(entry)
    path.write_text(json.dumps(config))
    with pytest.raises(DataError, match=message) as error:
        PoseModel.from_pretrained(tmp_path)
    assert str(path) in str(error.value)


def test_model_of_another_skeleton(build, arm, tmp_path):
    PoseModel(build(arm)).save_pretrained(tmp_path)
    with pytest.raises(DataError, match=r"model for .*'ntu25'.* one for .*arm"):
        PoseModel.from_pretrained(tmp_path, "ntu25")


def test_repr(build, arm):
    assert str(PoseModel(build(arm), STANDARDIZE)) == (
        "PoseModel(SymGNN, Skeleton('arm', joints=5, bones=4, parts=3, "
        "centre='chest'), num_observed=6, num_future=2, num_classes=4, "
        "transform=Standardize(joints=5, channels=3))"
    )


def test_arguments_of_another_type(model):
    with pytest.raises(TypeError, match="'stride' must be an integer"):
        model(walk(T), stride=1.5)
    with pytest.raises(TypeError, match="Expected a list of 'classes'"):
        PoseModel(model.model, classes="ab")
