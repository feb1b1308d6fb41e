import json
import sys

import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.errors import DataError
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.nn.models.pretrained_files import pretrained_names
from symgnn_pyg.transforms import Standardize
from tests.inference.pipelines import (
    CLASSES,
    MEAN,
    PIPELINES,
    STANDARDIZE,
    V,
    model_of,
    same,
    walk,
)


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

    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub)
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
