"""Networks that recognise whole recordings."""

import numpy as np
import pytest
import torch
from torch_geometric.transforms import Compose

from symgnn_pyg.datasets import SkeletonArrays
from symgnn_pyg.errors import DataError
from symgnn_pyg.inference import PoseModel, Stream, export_program
from symgnn_pyg.nn.baselines import LTD, STGCN
from symgnn_pyg.transforms import Center, Resample, ToBones, UniformSample

CLIP, SAMPLED = 12, 6  # frames
LENGTHS = (1, 5, 12, 30)


@pytest.fixture
def recordings():
    return [torch.randn(n, 5, 3).cumsum(dim=0) for n in LENGTHS]


def networks(arm, build):
    small = {"channels": (4, 8), "strides": (1, 2)}
    return {
        "SymGNN": build(arm, num_observed=SAMPLED, num_future=0),
        "STGCN": STGCN(arm, 4, **small).eval(),
    }


def sampled(random=False):
    return Compose([UniformSample(SAMPLED, random), Center(0)])


def of_clips(network, transform, **kwargs):
    return PoseModel(
        network, transform, samples="clips", num_observed=CLIP, **kwargs
    )


def probabilities_on_the_data_set(network, recordings, arm, transform):
    data = SkeletonArrays(
        recordings,
        None,
        arm,
        samples="clips",
        num_observed=CLIP,
        num_future=0,
        transform=transform,
    )
    with torch.no_grad():
        return network(data.batch(range(len(data))).x).logits.softmax(1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["SymGNN", "STGCN"])
def test_equals_the_network_on_the_data_set(
    name, dtype, arm, build, recordings, tmp_path
):
    network = networks(arm, build)[name]
    expected = probabilities_on_the_data_set(
        network, recordings, arm, sampled()
    )
    of_clips(network, sampled()).save_pretrained(tmp_path)
    model = PoseModel.from_pretrained(tmp_path).to(dtype)
    assert (model.samples, model.num_observed) == ("clips", CLIP)
    found = model([each.to(dtype) for each in recordings])
    assert found.future is None
    found = torch.stack([*found.probabilities.values()], dim=1)
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), expected, rtol=1e-4, atol=1e-5)
    for each, row in zip(recordings, expected, strict=True):
        alone = [*model(each.numpy()).probabilities.values()]
        np.testing.assert_allclose(alone, row, rtol=1e-4, atol=1e-5)


def test_many_recordings(arm, build):
    """More than pass through the network at once."""
    model = of_clips(networks(arm, build)["SymGNN"], sampled())
    motion = torch.randn(700, 9, 5, 3)
    bodies = torch.tensor([1, 2, 3, 4] * 70)
    for scenes, rows in ((None, 700), (bodies, 280)):
        found = model(motion, num_bodies=scenes)
        assert len(found.action) == rows
        last = model(motion[-4:], num_bodies=None if scenes is None else [4])
        for name, share in last.probabilities.items():
            torch.testing.assert_close(found.probabilities[name][-1], share[-1])


def test_bodies_are_recognised_together(arm, build, recordings):
    model = of_clips(
        networks(arm, build)["STGCN"], UniformSample(SAMPLED, random=False)
    )
    both = torch.stack([recordings[-1], recordings[-1].flip(0)])
    found = model(both, num_bodies=[2]).probabilities
    swapped = model(both.flip(0), num_bodies=[2]).probabilities
    for name, share in found.items():
        torch.testing.assert_close(share, swapped[name])


def test_bones(arm, build, recordings):
    network = build(arm.dual(), num_observed=SAMPLED, num_future=0)
    transform = Compose([sampled(), ToBones()])
    model = of_clips(network, transform, skeleton=arm)
    found = torch.stack([*model(recordings).probabilities.values()], dim=1)
    expected = probabilities_on_the_data_set(
        network, recordings, arm, transform
    )
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_of_windows(arm, build):
    """A network of clips also answers windows of equal length, frame by frame
    and as a program."""
    network = networks(arm, build)["SymGNN"]
    model = PoseModel(network, sampled(), num_observed=CLIP)
    motion = torch.randn(20, 5, 3)
    expected = [*model(motion).probabilities.values()]
    for each in (model, of_clips(network, sampled())):
        stream = Stream(each)
        for frame in motion:
            output = stream.step(frame)
        np.testing.assert_allclose(output.probabilities, expected, rtol=1e-4)
    window = motion[-CLIP:].transpose(0, 1).unsqueeze(0)
    (logits,) = export_program(model).module()(window)
    np.testing.assert_allclose(logits.softmax(1)[0], expected, rtol=1e-4)


def test_other_frame_rate(arm, build, recordings):
    """The last frame of a window may fall between those of the new rate."""
    network = networks(arm, build)["STGCN"]
    for samples in ("windows", "clips"):
        model = PoseModel(
            network, Resample(60, 25), samples=samples, num_observed=CLIP
        )
        assert model.num_future == 0
        assert model(recordings[-1]).future is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"transform": sampled(random=True)}, r"random=False"),
        ({"num_observed": None}, "Expected 'num_observed'"),
        ({"num_observed": 0}, "'num_observed'"),
        (
            {"transform": Center(0)},
            "give the 6 frames.*of which .* make 12",
        ),
        ({"samples": "recordings"}, r"'samples' must be one of \('windows'"),
    ],
)
def test_arguments_that_do_not_fit(arguments, message, arm, build):
    network = networks(arm, build)["SymGNN"]
    usual = {
        "transform": sampled(),
        "samples": "clips",
        "num_observed": CLIP,
    }
    with pytest.raises(ValueError, match=message):
        PoseModel(network, **{**usual, **arguments})


def test_networks_that_do_not_fit(arm, build):
    predicts = build(arm, num_observed=SAMPLED)
    with pytest.raises(ValueError, match="must keep"):
        of_clips(predicts, sampled())
    with pytest.raises(ValueError, match="Expected samples='windows'"):
        PoseModel(predicts, samples="clips")
    with pytest.raises(ValueError, match="at least the 10 frames that LTD"):
        PoseModel(LTD(arm, 4, num_recent=10), num_observed=9)
    with pytest.raises(ValueError, match="STGCN takes any number of frames"):
        PoseModel(networks(arm, build)["STGCN"])


def test_calls_that_do_not_fit(arm, build, recordings):
    model = of_clips(networks(arm, build)["SymGNN"], sampled())
    with pytest.raises(ValueError, match="Expected no 'stride'"):
        model(recordings[-1], stride=2)
    with pytest.raises(
        ValueError, match=r"at least 1, .*: 0 frames are too few$"
    ):
        model(torch.zeros(0, 5, 3))


def test_saved_number_of_frames_is_limited(arm, build, tmp_path):
    model = of_clips(networks(arm, build)["SymGNN"], sampled())
    model.save_pretrained(tmp_path)
    config = tmp_path / "config.json"
    text = config.read_text()
    for bad in ("1000000000", '"many"', "-3"):
        new = text.replace('"num_observed": 12', f'"num_observed": {bad}')
        assert new != text
        config.write_text(new)
        with pytest.raises(DataError, match="num_observed"):
            PoseModel.from_pretrained(tmp_path)


def test_entries_that_contradict_the_model(arm, build, tmp_path):
    model = of_clips(networks(arm, build)["SymGNN"], sampled())
    for entry in ({"samples": 12}, {"num_observed": 3}, {"classes": ["a"]}):
        (name,) = entry
        with pytest.raises(ValueError, match=f"Expected '{name}' as in the"):
            model.save_pretrained(tmp_path, **entry)
    assert not [*tmp_path.iterdir()]
    model.save_pretrained(tmp_path)
    again = PoseModel.from_pretrained(tmp_path)
    again.save_pretrained(tmp_path / "again", **again.about)
