"""The examples are told to stop, by Ctrl-C or by a request to end, or lose a
process, at each stage: they say so and leave no file that is not whole.
"""

import json
import os
import runpy
import signal
import sys
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import h5py
import pytest
import torch.utils.tensorboard  # noqa: F401 -- once, not in each child
from matplotlib.figure import Figure
from safetensors.torch import load_file

from symgnn_pyg import visualization
from symgnn_pyg.data import SequenceStore
from symgnn_pyg.datasets import synthetic_motion
from symgnn_pyg.io import Source
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.training import SafetensorsCheckpoint, SymGNNTask
from symgnn_pyg.training import safetensors_checkpoint as checkpoints

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SMALL = {"channels": (4, 4), "strides": (1, 2), "fusion": (1,),
         "num_hops": 1, "kernel_size": 3, "hidden_channels": 4}  # fmt: skip
QUICK = {
    "cmu_mocap": ("--steps", "2", "--device", "cpu"),
    "train": ("--quick",),
}
# What is called when a stage begins, or, when a file is written, ends.
BEFORE = {
    "reading": (Source, "read"),
    "making motion": (synthetic_motion, "perform"),
    "first step": (SymGNNTask, "training_step"),
    "validation": (SymGNNTask, "validation_step"),
}
AFTER = {
    "store": (h5py.Group, "create_dataset"),
    "checkpoint": (checkpoints, "save_file"),
}
REPORT = {
    "cmu_mocap": (visualization, "plot_poses"),
    "train": (SymGNN, "save_pretrained"),
}
TRAINING = ("first step", "validation", "checkpoint")
STAGES = (*BEFORE, *AFTER, "report")
# Only Lightning tells the two signals apart, while it trains.
STOPS = [
    *((stage, signal.SIGINT) for stage in STAGES),
    *((stage, signal.SIGTERM) for stage in ("making motion", "first step")),
]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory, write_recording):
    root = tmp_path_factory.mktemp("stopped") / "cmu_mocap"
    write_recording(root / "train/running/running_1.txt", 110, 1)
    return root


def kill(number):
    os.kill(os.getpid(), number)


def hook(owner, name, act, after=False, call=1):
    """Acts once, before or after a function is called for some time."""
    original, calls = getattr(owner, name), []

    def hooked(*args, **kwargs):
        calls.append(name)
        here = len(calls) == call
        if here and not after:
            act()
        result = original(*args, **kwargs)
        if here and after:
            act()
        return result

    setattr(owner, name, hooked)


def small(skeleton, num_classes, **given):
    return SymGNN(skeleton, num_classes, **{**given, **SMALL})


def example(name, output, data="synthetic", more=(), hooks=(), quick=True):
    """Runs an example with a small network on little motion."""
    SymGNN.light = small
    synthetic_motion.SPLITS = dict.fromkeys(("train", "val", "test"), 1)
    synthetic_motion.FRAMES = 60
    # To draw the poses would take a third of the time.
    visualization.plot_poses = lambda *_: Figure()
    for arguments in hooks:
        hook(*arguments)
    sys.argv = [
        name, "--output", str(output), "--data", str(data), "--future", "4",
        *(QUICK[name] if quick else ()), *more,
    ]  # fmt: skip
    sys.path.insert(0, str(EXAMPLES))
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")


def check(output):
    """Each file is whole, and none is hidden."""
    found = [path for path in output.rglob("*") if path.is_file()]
    hidden = {path.name for path in found if path.name.startswith(".")}
    stores = {"cmu.h5", "cmu_mocap.h5", "synthetic_motion_0.h5"}
    assert hidden <= {f".{store}.lock" for store in stores}
    for path in found:
        if path.suffix == ".h5":
            assert len(SequenceStore(path)) > 0
        elif path.suffix == ".ckpt":
            assert SafetensorsCheckpoint().load_checkpoint(path)["state_dict"]
        elif path.suffix == ".safetensors":
            assert load_file(path)
        elif path.suffix == ".json":
            assert json.loads(path.read_text())
        elif path.suffix == ".png":
            assert path.read_bytes().endswith(b"IEND\xaeB`\x82")


@pytest.mark.parametrize(("stage", "number"), STOPS)
@pytest.mark.parametrize("name", QUICK)
def test_told_to_stop(start, tmp_path, recordings, name, stage, number):
    output = tmp_path / "out"
    place = {**BEFORE, **AFTER, "report": REPORT[name]}[stage]
    data = recordings if stage == "reading" else "synthetic"
    act = partial(kill, number)
    hooks = [(*place, act, stage in AFTER)]
    child = start(example, name, output, data, (), hooks)
    code, printed = child.wait()
    assert "Traceback" not in printed
    check(output)
    assert code == 130
    if name == "cmu_mocap" and stage in TRAINING:
        assert "Stopped; reporting the results so far." in printed
        assert json.loads((output / "metrics.json").read_text())["average"]
        return
    said = printed.splitlines()[-1]
    if name == "cmu_mocap":
        assert said == f"Stopped; the files in {output} are complete"
        assert (output / "config.json").exists() == (stage == "report")
    elif stage == "report":
        assert said == f"Stopped; --resume continues from {output}/last.ckpt"
    else:
        assert said == f"Stopped; {output} has no last.ckpt yet, so start again"
        assert not (output / "last.ckpt").exists()


def test_goes_on_after_it_was_told_to_stop(start, tmp_path):
    """In the second epoch, when a checkpoint is to replace another."""
    last = tmp_path / "out" / "last.ckpt"
    epochs = ("--epochs", "2", "--batch-size", "16")
    hooks = [(*AFTER["checkpoint"], partial(kill, signal.SIGTERM), True, 3)]
    stopped = start(
        example, "train", last.parent, "synthetic", epochs, hooks, False
    )
    code, printed = stopped.wait()
    assert code == 130
    assert (
        printed.splitlines()[-1] == f"Stopped; --resume continues from {last}"
    )
    check(last.parent)
    steps = SafetensorsCheckpoint().load_checkpoint(last)["global_step"]
    resumed = start(
        example, "train", last.parent, "synthetic", (*epochs, "--resume"), (),
        False,
    )  # fmt: skip
    code, printed = resumed.wait()
    assert code == 0, printed
    check(last.parent)
    kept = SafetensorsCheckpoint().load_checkpoint(last)
    assert kept["global_step"] == 2 * steps > 0


def kill_children():
    for child in active_children():
        os.kill(child.pid, signal.SIGKILL)
        child.join()


def test_a_process_that_loads_is_killed(start, tmp_path):
    output = tmp_path / "out"
    hooks = [(*BEFORE["first step"], kill_children)]
    more = ("--workers", "1", "--epochs", "1", "--batch-size", "2")
    child = start(example, "train", output, "synthetic", more, hooks, False)
    code, printed = child.wait()
    assert code == 1
    assert "Traceback" not in printed
    said = printed.splitlines()[-1]
    assert said.startswith("Error: DataLoader worker (pid")
    assert said.endswith(f"{output} has no last.ckpt yet, so start again")
    check(output)


@pytest.mark.parametrize("name", QUICK)
def test_disk_is_full(start, disk, name):
    """It holds the motion, but not the network."""
    output = disk("size=300k")
    code, printed = start(example, name, output).wait()
    assert code == 1
    assert "Traceback" not in printed
    said = printed.splitlines()[-1]
    assert said.startswith(f"Error: {output}")
    assert "could not be written: No space left on device. Its " in said
    check(output)
