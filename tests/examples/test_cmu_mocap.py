import json
import zipfile

import pytest
from safetensors.torch import load_file, save_file

from symgnn_pyg import Skeleton
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.nn import SymGNN
from tests.examples.scripts import run_script

FILES = {
    "metrics.json",
    "model.safetensors",
    "config.json",
    "poses.png",
    "actional.png",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory, write_recording):
    """A few windows of one action: enough for every step."""
    root = tmp_path_factory.mktemp("example") / "cmu_mocap"
    write_recording(root / "train/running/running_1.txt", 110, 1)
    write_recording(root / "train/running/running_5.txt", 115, 2)
    write_recording(root / "test/running/running_1.txt", 155, 3)
    return root


def options(data, output, *arguments):
    return [
        "--data", str(data), "--output", str(output),
        "--future", "4", "--batch-size", "4", *map(str, arguments),
    ]  # fmt: skip


def run(*arguments):
    run_script("cmu_mocap.py", *options(*arguments), "--device", "cpu")


@pytest.fixture(scope="module")
def outputs(data, tmp_path_factory):
    """Two runs of the same seed."""
    folders = [tmp_path_factory.mktemp("output") / "new" for _ in range(2)]
    for folder in folders:
        run(data, folder, "--steps", 2, "--seed", 3)
    return folders


def test_files(outputs):
    assert {path.name for path in outputs[0].iterdir()} >= FILES
    for name in ("poses.png", "actional.png"):
        assert (outputs[0] / name).read_bytes().startswith(b"\x89PNG")
        vectors = (outputs[0] / name).with_suffix(".svg").read_text()
        assert "</svg>" in vectors


def test_metrics(outputs):
    metrics = json.loads((outputs[0] / "metrics.json").read_text())
    assert set(metrics) == {
        "protocol", "horizons_ms", "per_action", "average", "top1", "top5",
        "average_at_every_frame", "recognition", "seed", "seconds",
    }  # fmt: skip
    assert metrics["horizons_ms"] == [80, 160]
    assert set(metrics["per_action"]) == {"running"}
    assert set(metrics["average"]) == {
        "zero_velocity", "linear_regression", "model", "published",
    }  # fmt: skip
    assert all(
        len(values) == 2 and min(values) > 0
        for values in metrics["average"].values()
    )
    assert metrics["per_action"]["running"]["published"] == [0.21, 0.33]
    assert 0 <= metrics["top1"] <= metrics["top5"] <= 1
    assert metrics["seed"] == 3
    assert metrics["seconds"] > 0


def test_same_seed_gives_the_same(outputs):
    one, other = (
        json.loads((folder / "metrics.json").read_text()) for folder in outputs
    )
    for metrics in (one, other):
        del metrics["seconds"]
    assert one == other


def test_model_can_be_built_again(outputs):
    model = PoseModel.from_pretrained(outputs[0], Skeleton.get("cmu26"))
    assert len(model.classes) == model.model.num_classes
    assert model.transform.mean.shape == model.transform.std.shape == (26, 3)
    assert model.about["trained"] == ["running"]


def test_untrained_network_predicts_stillness(data, outputs):
    """Where nothing is trained, nothing of an earlier run is taken."""
    assert (outputs[1] / "training" / "best.ckpt").exists()
    run(data, outputs[1], "--steps", 0)
    average = json.loads((outputs[1] / "metrics.json").read_text())["average"]
    assert average["model"] == pytest.approx(average["zero_velocity"])


def test_training_starts_from_weights(data, outputs, tmp_path):
    weights = outputs[0] / "model.safetensors"
    run(data, tmp_path, "--steps", 0, "--checkpoint", weights)
    one, other = map(load_file, (weights, tmp_path / "model.safetensors"))
    assert one.keys() == other.keys()
    assert all(one[name].equal(other[name]) for name in one)


def missing_data(data, folder):
    return folder / "absent", folder / "out", [], "absent"


def truncated_zip(data, folder):
    path = folder / "cut.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in data.rglob("*.txt"):
            archive.write(file, file.relative_to(data))
    path.write_bytes(path.read_bytes()[:-500])
    return path, folder / "out", [], "cut.zip"


def foreign_checkpoint(data, folder):
    path = folder / "ntu25.safetensors"
    model = SymGNN.light(Skeleton.get("ntu25"), num_classes=8, num_future=4)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path)
    arguments = ["--checkpoint", path]
    return data, folder / "out", arguments, "ntu25.safetensors"


def garbage_checkpoint(data, folder):
    path = folder / "garbage.safetensors"
    path.write_bytes(b"\x80\x04garbage" * 50)
    arguments = ["--checkpoint", path]
    return data, folder / "out", arguments, "garbage.safetensors"


def unwritable_output(data, folder):
    (folder / "file").write_text("")
    return data, folder / "file" / "out", [], "file"


@pytest.mark.parametrize(
    "case",
    [missing_data, truncated_zip, foreign_checkpoint, garbage_checkpoint,
     unwritable_output],
)  # fmt: skip
def test_errors_are_one_line(data, tmp_path, case):
    root, output, arguments, culprit = case(data, tmp_path)
    with pytest.raises(SystemExit) as info:
        run(root, output, "--steps", 1, *arguments)
    (line,) = info.value.code.splitlines()
    assert line.startswith("Error:")
    assert culprit in line
    assert not (output / "metrics.json").exists()
