import json
import re
import shutil
import signal
import time
from pathlib import Path
from threading import Event, Thread

import pytest
import torch
from filelock import FileLock

from examples.paper.__main__ import EXPERIMENTS, main
from examples.paper.data import OBSERVED, Data, NoisySupervision
from examples.paper.evaluate import evaluate
from examples.paper.measures import Spread, spread
from examples.paper.published import published, published_errors
from examples.paper.recognition import ALONE, FUSED, accuracy, bones_of
from examples.paper.render import (
    Page,
    bars,
    compare,
    to_content,
    to_markdown,
)
from examples.paper.run import Run, sym_gnn
from examples.paper.runs import Runs, locked
from examples.paper.settings import Settings
from examples.paper.stability import perturbation_ratio, stability_sides
from examples.shared import FromJoints
from symgnn_pyg import Skeleton
from symgnn_pyg.errors import DataError
from symgnn_pyg.nn import ActionalGraphInference, DualSymGNN, JointGraphConv
from symgnn_pyg.training import SafetensorsCheckpoint, SymGNNTask
from symgnn_pyg.transforms import Mirror

STEPS = 3


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    return tmp_path_factory.mktemp("paper")


@pytest.fixture(scope="module")
def data(output):
    return Data("synthetic", output / "data")


@pytest.fixture(autouse=True)
def _interruptible():
    """Lightning ignores Ctrl-C once it was pressed."""
    handler = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, handler)


class Trained:
    """The steps that were trained, as they come, and where to interrupt."""

    def __init__(self):
        self.steps = []
        self.interrupt = None


@pytest.fixture
def trained(monkeypatch):
    found, step = Trained(), SymGNNTask.training_step

    def training_step(self, batch, batch_idx):
        if self.global_step == found.interrupt:
            raise KeyboardInterrupt
        found.steps.append(self.global_step)
        return step(self, batch, batch_idx)

    monkeypatch.setattr(SymGNNTask, "training_step", training_step)
    return found


def tiny(output, checkpoint_seconds=20.0, **arguments):
    return Runs(
        Settings(quick=True, steps=STEPS, output=output, **arguments),
        checkpoint_seconds,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The output of a command whose run is finished."""
    output = tmp_path_factory.mktemp("finished")
    tiny(output).results(Run(network="ZeroV"))
    return output


# Runs ########################################################################


def test_finished_runs_are_not_trained_again(output, trained):
    run = sym_gnn()
    first = tiny(output).results(run)
    assert trained.steps == list(range(STEPS))
    assert tiny(output).results(sym_gnn(num_hops=3)) == first
    assert trained.steps == list(range(STEPS))
    (model,) = tiny(output).models(run)
    assert not model.training
    assert trained.steps == list(range(STEPS))
    folder = output / "runs" / tiny(output).hash(run)
    assert not list(folder.glob("*.ckpt"))


def test_runs_differ_in_all_that_they_depend_on(output):
    runs = tiny(output)
    one = sym_gnn()
    others = [
        sym_gnn(num_hops=2), sym_gnn(seed=1), sym_gnn(bones=True),
        sym_gnn(noisy_targets=0.5), sym_gnn(noisy_labels=0.5),
        sym_gnn(num_future=5), sym_gnn(num_observed=8), Run(network="LTD"),
    ]  # fmt: skip
    names = {runs.hash(run) for run in (one, *others)}
    longer = Runs(Settings(quick=True, steps=STEPS + 1, output=output))
    wider = Runs(Settings(steps=STEPS, output=output))
    names |= {longer.hash(one), wider.hash(one)}
    assert len(names) == len(others) + 3


def test_interrupted_runs_go_on(tmp_path, trained):
    run = sym_gnn(num_classes=0)
    whole = tiny(tmp_path / "whole").results(run)[0]
    trained.steps.clear()
    trained.interrupt = STEPS - 1
    cut = tiny(tmp_path / "cut", checkpoint_seconds=0.0)
    folder = cut.folder / cut.hash(run)
    with pytest.raises(KeyboardInterrupt):
        cut.results(run)
    assert not (folder / "result.json").exists()
    checkpoints, last = SafetensorsCheckpoint(), folder / "last.ckpt"
    kept = checkpoints.load_checkpoint(last)
    kept["callbacks"]["Timer"]["time_elapsed"]["train"] += 1000
    checkpoints.save_checkpoint(kept, last)
    trained.interrupt = None
    resumed = cut.results(run)[0]
    assert trained.steps == list(range(STEPS))
    assert resumed["error"] == whole["error"]
    assert whole["seconds"] < 1000 < resumed["seconds"]


def test_a_checkpoint_that_cannot_be_used(tmp_path, trained):
    trained.interrupt = STEPS - 1
    runs, run = tiny(tmp_path, 0.0), Run(network="Res-uns")
    last = runs.folder / runs.hash(run) / "last.ckpt"
    with pytest.raises(KeyboardInterrupt):
        runs.results(run)
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"last\.ckpt cannot be used .*remove"):
        runs.results(run)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("result.json", '{"top1": 0.5', "JSONDecodeError"),
        ("result.json", "{}", "KeyError: 'run'"),
        (
            "result.json",
            '{"run": {"seed": 9}}',
            "ValueError: it is the",
        ),
        ("outputs.safetensors", "half", "SafetensorError"),
        ("model.safetensors", None, "FileNotFoundError"),
    ],
)
def test_finished_runs_that_cannot_be_used(
    tmp_path, finished, name, content, message
):
    output = Path(shutil.copytree(finished, tmp_path / "paper"))
    runs, run = tiny(output), Run(network="ZeroV")
    file = runs.folder / runs.hash(run) / name
    file.unlink()
    if content is not None:
        file.write_text(content)
    with pytest.raises(DataError, match=rf"{name} cannot be used \({message}"):
        (runs.results(run), runs.outputs(run), runs.models(run))


def test_waits_for_another_command(tmp_path, capsys):
    holds, done = Event(), Event()

    def other():
        with FileLock(tmp_path / "lock"):
            holds.set()
            time.sleep(0.2)
            done.set()

    thread = Thread(target=other)
    thread.start()
    holds.wait()
    with locked(tmp_path):
        assert done.is_set()
    thread.join()
    assert "waiting for another command" in capsys.readouterr().out
    with locked(tmp_path):
        assert capsys.readouterr().out == ""


def test_seeds_are_runs_of_their_own(tmp_path):
    runs = tiny(tmp_path, seeds=(0, 1))
    run = Run(network="Res-uns")
    with torch.no_grad():
        errors = [one["pck"][-1] for one in runs.results(run)]
        assert not torch.is_grad_enabled()
    assert len(errors) == 2
    found = runs.spread(run, lambda one: one["pck"][-1])
    assert found.mean == pytest.approx(sum(errors) / 2)
    assert found.std == pytest.approx(abs(errors[0] - errors[1]) / 2**0.5)
    assert len(runs.used) == 2


@pytest.mark.parametrize("network", ["ZeroV", "linear regression"])
def test_baselines_that_need_no_training_steps(output, trained, network):
    (result,) = tiny(output).results(Run(network=network))
    assert trained.steps == []
    assert result["parameters"] == 0
    errors = result["error"]["walking"]
    assert 0 < errors[0] < errors[-1]


def test_only_trained_actions_are_recognised(output):
    runs = tiny(output)
    model, test = runs.models(sym_gnn())[0], runs.test(sym_gnn())
    every, outputs = evaluate(model, test, runs.data)
    assert torch.equal(outputs["labels"], test.labels)
    runs.data.trained = torch.tensor([2, 5])
    found, some = evaluate(model, test, runs.data)
    known = torch.isin(test.labels, runs.data.trained)
    assert torch.equal(some["labels"], test.labels[known])
    assert torch.equal(some["logits"], outputs["logits"][known])
    right = some["logits"].argmax(dim=1) == some["labels"]
    assert found["top1"] == pytest.approx(right.double().mean().item())
    assert found["error"] == every["error"]


def test_linear_regression_is_fitted(output):
    model, *_ = tiny(output).models(Run(network="linear regression"))
    assert model.weight.abs().sum() > 0


def test_scores_of_joints_and_bones_are_added(output):
    runs = tiny(output)
    joint, bone = (
        runs.outputs(run)[0] for run in (sym_gnn(), bones_of(sym_gnn()))
    )
    right = (joint["logits"] + bone["logits"]).argmax(dim=1)
    expected = 100 * (right == joint["labels"]).double().mean().item()
    found = accuracy(runs, "Sym-GNN")["top-1"]
    assert found.mean == pytest.approx(expected)
    models = runs.models(sym_gnn()) + runs.models(bones_of(sym_gnn()))
    x = runs.test(sym_gnn()).batch([0, 100]).x
    with torch.no_grad():
        logits = FromJoints(DualSymGNN(*models)).eval()(x).logits
    both = (joint["logits"] + bone["logits"])[[0, 100]] / 2
    torch.testing.assert_close(logits, both, atol=1e-4, rtol=1e-4)


# Data ########################################################################


def test_windows_cut_otherwise_start_at_the_same_frames(data):
    plain, cut = data.split("test"), data.split("test", 8, OBSERVED + 2)
    one, other = plain.batch([3, 70]), cut.batch([3, 70])
    assert other.x.shape[1:] == (8, 3)
    whole = torch.cat([one.x, one.future], dim=1)
    assert torch.equal(whole, torch.cat([other.x, other.future], dim=1))
    message = rf"{OBSERVED} \+ 10 frames have no room"
    with pytest.raises(ValueError, match=message):
        data.split("test", OBSERVED, 11)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_noisy_targets_belong_to_others(data, share):
    train = data.split("train")
    noisy = NoisySupervision(train, share, 0.0, seed=0)
    moved = noisy.target_of != torch.arange(len(train))
    assert int(moved.sum()) == round(share * len(train))
    assert noisy.target_of.unique().numel() == len(train)
    assert torch.equal(noisy.labels, train.labels)
    indices = [0, 1, 2, 3]
    batch = noisy.batch(indices)
    others = train.batch(noisy.target_of[indices].tolist())
    assert torch.equal(batch.x, train.batch(indices).x)
    assert torch.equal(batch.future, others.future)


def test_noise_leaves_other_targets_with_their_mirrored_windows(data):
    train = data.split("train")
    train.transform = Mirror(kind="rotation")
    noisy = NoisySupervision(train, 0.5, 0.0, seed=0)
    kept = (noisy.target_of == torch.arange(len(train))).nonzero()[:40, 0]
    moved = (noisy.target_of != torch.arange(len(train))).nonzero()[:1, 0]
    indices = [*kept.tolist(), *moved.tolist()]
    batch = noisy.batch(indices)
    frames = torch.cat([batch.x, batch.future], dim=1)
    frames = frames.unflatten(0, (len(indices), -1))
    mirrored = 0
    for p in (0.0, 1.0):
        train.transform = Mirror(p=p, kind="rotation")
        true = train.batch(indices)
        true = torch.cat([true.x, true.future], dim=1).view_as(frames)
        same = (frames == true).flatten(1).all(dim=1)
        assert not same[-1]
        assert 0 < same.sum() < len(kept)
        mirrored += int(same.sum())
    assert mirrored == len(kept)


def test_noisy_labels(data):
    train = data.split("train")
    noisy = NoisySupervision(train, 0.0, 0.5, seed=0)
    assert torch.equal(noisy.labels.bincount(), train.labels.bincount())
    wrong = (noisy.labels != train.labels).double().mean()
    # One of eight shuffled labels is right by chance.
    assert wrong == pytest.approx(0.5 * 7 / 8, abs=0.02)
    assert torch.equal(noisy.batch([0, 9]).y, noisy.labels[[0, 9]])
    with pytest.raises(ValueError, match="'labels' must lie between 0 and 1"):
        NoisySupervision(train, 0.0, 1.5, seed=0)


# Pages #######################################################################


def test_published_numbers():
    assert published("table-1")["Sym-GNN"] == {"CS": 90.1, "CV": 96.4}
    assert published("table-12")["L = 3"] == {"only JS": 0.613, "full": 0.611}
    cmu = published_errors("table-7")
    assert len(cmu) == 8
    assert list(cmu["Walking"]["Sym-GNN"].values()) == [
        0.26, 0.32, 0.35, 0.39, 0.52,
    ]  # fmt: skip
    assert published_errors("table-5")["Eating"]["DropAE"].keys() == {
        "80 ms", "160 ms", "320 ms",
    }  # fmt: skip
    for table in ("table-9", "table-10", "table-11", "table-15"):
        assert not any(published(table).values())


def test_every_table_and_figure_is_there():
    assert len(EXPERIMENTS) == 15 + 8
    for i in range(1, 16):
        assert f"table-{i}" in EXPERIMENTS
        assert published(f"table-{i}")
    rows = {*published("table-1"), *published("table-2"), *published("table-3")}
    assert {*ALONE, *FUSED} <= rows


def test_page():
    theirs = {"a": {"top-1": 90.5}, "b": {"top-1": 80.0}}
    ours = {"b": {"top-1": Spread(70.0, 1.5), "top-5": Spread(99.0)}}
    columns, rows = compare(theirs, ours, "data")
    assert columns == ["top-1 (paper)", "top-1 (ours, data)",
                       "top-5 (ours, data)"]  # fmt: skip
    figure = bars(theirs, ours, "data", "accuracy, %")
    both, only_ours = figure.axes
    # Bars lie around their row: two side by side, or a single one.
    assert [bar.get_y() + bar.get_height() / 2 for bar in both.patches] == (
        pytest.approx([-0.2, 0.8, 1.2])
    )
    (bar,) = only_ours.patches
    assert bar.get_y() + bar.get_height() / 2 == pytest.approx(1)
    assert both.get_xlabel() == only_ours.get_xlabel() == "accuracy, %"
    page = Page("title", "set", columns, rows, figure)
    content = json.dumps(to_content(page, "table-0", {"seeds": [0, 1]}))
    content = json.loads(content)
    text = to_markdown(content)
    assert "| a | 90.5 |  |  |" in text
    assert "| b | 80 | 70 ± 1.5 | 99 |" in text
    assert "- seeds: 0, 1" in text
    assert content["rows"][1]["cells"][1] == {"mean": 70.0, "std": 1.5}
    assert spread([1.0]) == (1.0, None)


def command(output, *arguments):
    main([*arguments, "--quick", "--steps", str(STEPS), "--output",
          str(output)])  # fmt: skip


def test_table(output):
    command(output, "table-10")
    content = json.loads((output / "table-10.json").read_text())
    assert (output / "table-10.md").read_text() == to_markdown(content)
    assert content["columns"] == [
        f"{ms} ms (ours, synthetic motion)" for ms in (80, 160, 320, 400)
    ]
    assert any("lacks those of" in note for note in content["notes"])
    command(output, "table-14")
    text = (output / "table-14.md").read_text()
    assert "- command: python -m examples.paper table-14 --quick --steps 3" in (
        text
    )
    assert "synthetic motion, which stands in for Human3.6M" in text
    assert "A quick run" in text
    assert re.search(r"training time: .* for 3 run\(s\) on CPU, 1 thread", text)
    assert "80 ms (paper)" in text
    assert "80 ms (ours, synthetic motion)" in text
    assert "| 0, 1, 2 | 0.26 |" in text
    assert "Human3.6M is not available: run on synthetic motion" in text
    content = json.loads((output / "table-14.json").read_text())
    cells = content["rows"][0]["cells"]
    assert cells[0] == 0.33
    assert cells[1]["mean"] > 0
    for name in content["protocol"]["runs"]:
        run = json.loads((output / f"runs/{name}/result.json").read_text())
        assert run["run"]["steps"] == STEPS
    assert (output / "table-14.png").read_bytes().startswith(b"\x89PNG")


def test_figure(output):
    command(output, "figure-15")
    content = json.loads((output / "figure-15.json").read_text())
    for row in content["rows"]:
        ratio, most, left, right = (cell["mean"] for cell in row["cells"])
        assert 0 < ratio <= most
        assert 0 < left <= right
    assert (output / "figure-15.png").read_bytes().startswith(b"\x89PNG")


def test_errors_are_one_sentence(tmp_path):
    with pytest.raises(SystemExit, match=r"^Error: .*absent.zip does not"):
        command(tmp_path, "table-7", "--data", str(tmp_path / "absent.zip"))
    for arguments, message in (
        (["--steps", "0"], "'steps' must be at least 1"),
        (["--seed", "1", "0", "1"], "'seed' 1 was passed 2 times"),
        (["--seed", "-1"], "'seed' must be 0 to 2"),
    ):
        with pytest.raises(SystemExit, match=message):
            main(["table-7", *arguments, "--output", str(tmp_path)])
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("absent", ["walking_5", "walking_1"])
def test_a_split_that_is_absent_is_told_at_once(
    tmp_path, write_recording, absent
):
    names = [f"train/walking/walking_{i}" for i in (4, 5)]
    for name in (*names, "test/walking/walking_1"):
        if not name.endswith(absent):
            write_recording(tmp_path / "raw" / f"{name}.txt", 160)
    split = "val" if absent == "walking_5" else "test"
    with pytest.raises(DataError, match=f"split '{split}' of .*raw"):
        Data(str(tmp_path / "raw"), tmp_path / "data")


def test_data_differ_in_what_they_hold(tmp_path, write_recording):
    identities = set()
    for seed in (0, 1):
        for name in ("train/running/running_1", "train/running/running_5",
                     "test/running/running_1"):  # fmt: skip
            write_recording(tmp_path / f"{seed}/{name}.txt", 160, seed)
        data = Data(str(tmp_path / str(seed)), tmp_path / f"data{seed}")
        identities.add(data.identity)
    assert len(identities) == 2


def test_recordings_too_short_are_told(tmp_path, write_recording):
    for name, rows in (
        ("train/walking/walking_3", 80),
        ("train/walking/walking_4", 160),
        ("train/walking/walking_5", 160),
        ("test/walking/walking_1", 160),
    ):
        write_recording(tmp_path / "raw" / f"{name}.txt", rows)
    with pytest.warns(UserWarning, match="90 frames: train/walking/walking_3"):
        data = Data(str(tmp_path / "raw"), tmp_path / "data")
    assert "train/running/running_1.txt" in data.absent


# Stability theorem ###########################################################


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("noise", [1e-3, 1e-1, 1.0])
def test_stability_theorem(seed, noise):
    torch.manual_seed(seed)
    skeleton = Skeleton(
        ["a", "b", "c", "d"], [(1, 0), (2, 1), (3, 1)], {"all": range(4)}
    )
    n, v, t, c = 3, skeleton.num_joints, 5, 3
    agim = (
        ActionalGraphInference(t * c, skeleton, hidden_channels=16)
        .double()
        .eval()
    )
    conv = JointGraphConv(c, 4, skeleton, num_hops=2, lambda_=0.7).double()
    for parameter in (*agim.parameters(), *conv.parameters()):
        parameter.data = 0.5 * torch.randn_like(parameter)
    p = torch.randn(n * v, t, c, dtype=torch.double)
    q = p + noise * torch.randn_like(p)
    with torch.no_grad():
        a, b = agim(p), agim(q)
        lipschitz = float(perturbation_ratio(p, q, a, b).max())
        left, right = stability_sides(conv, p, q, a, b, lipschitz)
        still, zero = stability_sides(conv, p, p, a, a, lipschitz)
    assert (left <= right * (1 + 1e-12)).all()
    assert (left > 0).all()
    assert still.eq(0).all()
    assert zero.eq(0).all()


def test_stability_theorem_is_sharp():
    """With one joint, one channel and unchanged graphs, both sides are the
    same."""
    skeleton = Skeleton(["a"], [], {"all": [0]})
    conv = JointGraphConv(1, 1, skeleton, num_hops=1, lambda_=2.0).double()
    conv.weight.data.fill_(3.0)
    p, q = torch.full((1, 1, 1), 5.0).double(), torch.ones(1, 1, 1).double()
    graph = torch.ones(1, 1, 1, dtype=torch.double)
    left, right = stability_sides(conv, p, q, graph, graph, 0.0)
    # 2 * 3 * 1 + 1 * 3 = 9, times |5 - 1|.
    assert left.item() == pytest.approx(36.0)
    assert right.item() == pytest.approx(36.0)
