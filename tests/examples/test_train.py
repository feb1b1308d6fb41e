import json
import re

import pytest
import torch
from train_data import class_weights

from symgnn_pyg.inference import PoseModel
from symgnn_pyg.nn import DualSymGNN, SymGNN
from symgnn_pyg.training import SafetensorsCheckpoint
from symgnn_pyg.transforms import steps_of
from tests.examples.human36m_files import write_human36m
from tests.examples.scripts import run_script
from tests.io import kinetics_document, ntu_document


@pytest.fixture(scope="module")
def data(tmp_path_factory, write_recording):
    """A few windows of one action."""
    root = tmp_path_factory.mktemp("train") / "cmu_mocap"
    write_recording(root / "train/running/running_1.txt", 114, 1)
    write_recording(root / "train/running/running_5.txt", 112, 2)
    write_recording(root / "test/running/running_1.txt", 155, 3)
    return root


@pytest.fixture
def run(data, tmp_path):
    def run(*arguments, folder="out", channels=(4, 4)):
        if channels:
            arguments = "--channels", *channels, *arguments
        run_script(
            "train.py", "--data", data, "--output", tmp_path / folder,
            "--future", 4, "--batch-size", 4, *arguments,
        )  # fmt: skip
        return tmp_path / folder

    yield run
    torch.use_deterministic_algorithms(False)


def steps(output):
    kept = SafetensorsCheckpoint().load_checkpoint(output / "last.ckpt")
    return kept["global_step"]


def test_changed_windows_are_trained_on_and_not_validated_on(run):
    *others, plain = (
        SymGNN.from_pretrained(run("--quick", option, folder=option) / "model")
        for option in ("--mirror", "--reverse", "--deterministic")
    )
    name = "actional_inference.joint_mlp.lins.0.weight"
    for changed in others:
        assert changed.about["transform"] == plain.about["transform"]
        weights = [model.state_dict()[name] for model in (changed, plain)]
        assert not torch.equal(*weights)
        still = [m.about["metrics"]["val_still"] for m in (changed, plain)]
        assert still[0] == still[1]


def test_fine_tuning(run):
    """Starts from the weights, and reads poses as they were trained on."""
    output = run(
        "--quick", "--weights", "cmu-light-long",
        "--learning-rate", 1e-6, channels=None,
    )  # fmt: skip
    tuned, first = (
        PoseModel.from_pretrained(name)
        for name in (output / "model", "cmu-light-long")
    )
    assert tuned.transform.mean.equal(first.transform.mean)
    assert tuned.num_future == 4
    pairs = zip(tuned.parameters(), first.parameters(), strict=True)
    for found, expected in pairs:
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0.0)


def test_weights_decide_the_network(run, capsys):
    with pytest.raises(SystemExit):
        run("--quick", "--weights", "cmu-light-long")
    assert "network; leave out --channels" in capsys.readouterr().err


def test_network_of_the_bones(run):
    """It joins that of the joints."""
    joint, bone = (
        PoseModel.from_pretrained(
            run("--quick", "--loss", "pose", *more, folder=name) / "model"
        )
        for name, more in (
            ("joint", ()),
            ("bone", ("--bones", "--monitor", "val_error")),
        )
    )
    assert bone.model.skeleton == joint.model.skeleton.dual()
    assert bone.skeleton == joint.skeleton
    standardize, _ = bone.transform.transforms
    assert torch.equal(standardize.mean, joint.transform.mean)
    dual = PoseModel(DualSymGNN(joint.model, bone.model), joint.transform)
    for model in (joint, bone, dual):
        assert model(torch.randn(50, 26, 3)).future.shape == (4, 26, 3)


def write_ntu(root):
    for subject in (1, 2, 5):
        clip = ntu_document.poses(12, subject)
        two = [{"a": pose, "b": pose + subject} for pose in clip]
        path = root / f"S001C001P{subject:03d}R001A{subject:03d}.skeleton"
        path.write_text(ntu_document.document(two))


def write_kinetics(root):
    for part in ("train", "val"):
        (root / f"kinetics_{part}").mkdir()
        labels = {}
        for i in range(40):
            clip = kinetics_document.clip(
                [[kinetics_document.body(t / 10)] for t in range(5)], i % 2
            )
            path = root / f"kinetics_{part}" / f"c{i}.json"
            path.write_text(json.dumps(clip))
            labels[path.stem] = {
                "has_skeleton": True,
                "label": clip["label"],
                "label_index": clip["label_index"],
            }
        table = root / f"kinetics_{part}_label.json"
        table.write_text(json.dumps(labels))


@pytest.mark.parametrize(
    ("dataset", "write", "joints", "network"),
    [
        ("ntu", write_ntu, 25, "full"),
        ("ntu120", write_ntu, 25, "light"),
        ("kinetics", write_kinetics, 18, "light"),
        ("h36m", write_human36m, 20, "light"),
    ],
)
def test_each_data_set(run, tmp_path, dataset, write, joints, network):
    root = tmp_path / dataset
    root.mkdir()
    write(root)
    output = run(
        "--quick", "--mirror", "--data", root, "--dataset", dataset,
        "--observed", 20, "--network", network,
        channels=(4, 4) if network == "light" else None,
    )  # fmt: skip
    model = PoseModel.from_pretrained(output / "model")
    assert model(torch.randn(20, joints, 3)).future.shape == (4, joints, 3)
    blocks = model.model.branches[0].joint_blocks
    assert len(blocks) == (9 if network == "full" else 2)
    assert model.about["data"]["dataset"] == dataset
    steps = [type(step).__name__ for step in steps_of(model.transform)]
    expected = {"h36m": ["Standardize"], "kinetics": []}
    assert steps == expected.get(dataset, ["Center", "NormalizeView"])
    assert model.about["metrics"]["val_still"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "synthetic", "--dataset", "ntu"), "ntu requires --data"),
        (("--exclude", "list.txt"), "--exclude requires --dataset ntu"),
        (("--network", "full", "--channels", 8), "requires --network light"),
        (("--refit",), "--refit requires --steps"),
        (("--refit", "--steps", 4, "--patience", 1), "leave out --patience"),
        (("--seeds", 1, 1), "--seeds must differ"),
        (("--seed", 1, "--seeds", 1, 2), "not allowed with"),
    ],
)
def test_arguments_that_do_not_go_together(run, capsys, arguments, message):
    with pytest.raises(SystemExit):
        run(*arguments)
    assert message in capsys.readouterr().err


SMALL = "--observed", 20, "--steps", 3


def test_refit_also_trains_on_validation_windows(run):
    output = run(*SMALL, "--refit", "--ema", 0.5)
    assert steps(output) == 3
    assert not (output / "best.ckpt").exists()
    refitted = SymGNN.from_pretrained(output / "model")
    assert refitted.about["metrics"] == {}
    # It keeps the averaged weights, which are not the latest ones.
    kept = SafetensorsCheckpoint().load_checkpoint(output / "last.ckpt")
    name = "recognition_head.classify.weight"
    latest = kept["current_model_state"][f"model.{name}"]
    averaged = kept["state_dict"][f"model.{name}"]
    assert torch.equal(refitted.state_dict()[name], averaged)
    assert not torch.equal(averaged, latest)
    windows = refitted.about["data"]["training windows"]
    output = run(*SMALL, "--quick", folder="plain")
    plain = SymGNN.from_pretrained(output / "model")
    assert plain.about["data"]["training windows"] < windows


def test_several_seeds_and_their_average(run):
    output = run(*SMALL, "--seeds", 3, 5)
    models = [
        PoseModel.from_pretrained(output / folder / "model")
        for folder in ("seed3", "seed5", "")
    ]
    assert [model.about["seed"] for model in models] == [3, 5, [3, 5]]
    x = torch.randn(20, 26, 3)
    one, other, average = (model(x).future for model in models)
    torch.testing.assert_close(average, (one + other) / 2)
    assert not torch.allclose(one, other)
    alone = PoseModel.from_pretrained(run(*SMALL, "--seed", 3) / "model")
    assert torch.equal(alone(x).future, one)


def test_classes_of_few_windows_weigh_more(run):
    labels = torch.tensor([0, 0, 0, 2, -100])
    assert class_weights(labels, 4).tolist() == pytest.approx([2 / 3, 0, 2, 0])
    assert steps(run(*SMALL, "--balance", "loss")) == 3


def test_clips_of_a_list_are_left_out(run, tmp_path):
    write_ntu(tmp_path)
    (tmp_path / "list.txt").write_text("Missing\nS001C001P001R001A001\n")
    output = run(
        "--quick", "--data", tmp_path, "--dataset", "ntu", "--observed", 20,
        "--exclude", tmp_path / "list.txt",
    )  # fmt: skip
    model = SymGNN.from_pretrained(output / "model")
    assert model.about["trained"] == [model.about["classes"][1]]


def test_quick_run_and_a_run_that_goes_on(run, monkeypatch):
    output = run("--quick", "--weighting", "mgda", channels=None)
    names = {path.name for path in output.iterdir()}
    assert {"last.ckpt", "best.ckpt", "model", "logs"} <= names
    first = steps(output)
    assert 0 < first <= 4
    whole = PoseModel.from_pretrained(output / "model")
    assert whole.classes[4] == "running"
    assert whole.transform.mean.shape == (26, 3)
    assert whole(torch.zeros(50, 26, 3)).future.shape == (4, 26, 3)
    model = whole.model
    best = SafetensorsCheckpoint().load_checkpoint(output / "best.ckpt")
    assert model.about["metrics"] == best["metrics"]
    assert {"val_error", "val_top1"} <= best["metrics"].keys()
    for name, value in model.state_dict().items():
        assert torch.equal(best["state_dict"][f"model.{name}"], value), name

    # It is neither overwritten nor resumed by another network.
    before = (output / "model" / "model.safetensors").read_bytes()
    with pytest.raises(SystemExit, match="holds an earlier training"):
        run("--quick", channels=None)
    # Shells leave the tilde in --output=~/out.
    monkeypatch.setenv("HOME", str(output.parent))
    with pytest.raises(SystemExit, match="holds an earlier training"):
        run_script("train.py", "--quick", f"--output=~/{output.name}")
    with pytest.raises(SystemExit, match=r"belongs to another network"):
        run("--resume")
    assert (output / "model" / "model.safetensors").read_bytes() == before
    run("--epochs", 2, "--resume", "--weighting", "mgda", channels=None)
    assert steps(output) == 2 * first


def test_errors_are_one_line(run, tmp_path):
    with pytest.raises(SystemExit, match=r"^Error: .*absent"):
        run("--data", tmp_path / "absent")


@pytest.mark.parametrize(
    ("option", "value"),
    [("--weighting", "light"), ("--weighting", "1.5"), ("--epochs", "0")],
)
def test_arguments_are_checked(run, capsys, option, value):
    with pytest.raises(SystemExit):
        run(option, value)
    assert re.search(rf"{option}: .*{value}", capsys.readouterr().err)
