import re

import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.datasets.synthetic_actions import ACTIONS
from symgnn_pyg.nn import SymGNN
from tests.examples.scripts import run_script

CMU = Skeleton.get("cmu26")
ARGUMENTS = {
    "num_classes": 8, "num_future": 5, "channels": [2, 2, 4, 4],
    "hidden_channels": 8,
}  # fmt: skip
ABOUT = {
    "classes": list(ACTIONS),
    "mean": torch.zeros(26, 3).tolist(),
    "std": torch.ones(26, 3).tolist(),
}


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """A folder that keeps the made-up motion."""
    return tmp_path_factory.mktemp("live")


@pytest.fixture
def run(capsys, output):
    def run(*arguments):
        run_script("live.py", "--fast", "--output", output, *arguments)
        return capsys.readouterr().out

    return run


def network():
    """Predicts stillness, and finds everything to be running."""
    model = SymGNN.light(CMU, **ARGUMENTS)
    torch.nn.init.zeros_(model.recognition_head.classify.weight)
    torch.nn.init.zeros_(model.recognition_head.classify.bias)
    model.recognition_head.classify.bias.data[
        ABOUT["classes"].index("running")
    ] = 9
    return model


def write_weights(folder, about=ABOUT, network=network):
    network().save_pretrained(folder / "model", **about)
    return folder / "model"


def test_plays_and_reports(run, tmp_path):
    out = run("--weights", write_weights(tmp_path), "--recordings", 2)
    assert "untrained" not in out
    assert re.search(r"320 frames; latency p50 [\d.]+ ms, p99 [\d.]+ ms", out)
    # One recording each of walking and running, and always running is said.
    assert "walking, 25/160 frames, 25 of the window seen" in out
    assert "running, 50/160 frames, 50 of the window seen" in out
    assert re.search(r"^running +#{40} 100% <$", out, re.MULTILINE)
    shares = re.findall(r"^ *(\d+)% +50% of 2$", out, re.MULTILINE)
    assert [int(share) for share in shares] == list(range(10, 101, 10))
    rows = [
        re.search(rf"^{name} +([\d.]+) +([\d.]+)$", out, re.MULTILINE)
        for name in ("network", "still")
    ]
    assert rows[0].groups() == rows[1].groups()
    assert float(rows[0][1]) < float(rows[0][2])


def test_without_weights(run):
    out = run("--recordings", 1)
    assert "Note: without --weights the network is untrained" in out
    assert "160 frames; latency" in out


def test_real_motion(run, tmp_path, write_recording):
    write_recording(tmp_path / "cmu/test/running/running_1.txt", 155)
    with pytest.warns(UserWarning, match="lacks 47 files"):
        out = run("--data", tmp_path / "cmu", "--recordings", 1)
    assert "running, 75/78 frames, 50 of the window seen" in out


def absent(folder):
    return ["--weights", folder / "absent"], "no folder .*absent"


def other_classes(folder):
    about = {**ABOUT, "classes": list("abcdefgh")}
    return ["--weights", write_weights(folder, about)], "classes a, b, c"


def one_head(folder):
    arguments = {**ARGUMENTS, "num_future": 0}
    path = write_weights(
        folder, network=lambda: SymGNN.light(Skeleton.get("cmu26"), **arguments)
    )
    return ["--weights", path], "must both recognise and predict"


def other_skeleton(folder):
    path = write_weights(
        folder,
        about={"classes": ABOUT["classes"]},
        network=lambda: SymGNN.light(Skeleton.get("ntu25"), **ARGUMENTS),
    )
    return ["--weights", path], "was trained on .*ntu25"


def incomplete(folder):
    return ["--weights", write_weights(folder, {})], "the classes 0, 1, 2"


def garbage(folder):
    path = write_weights(folder)
    (path / "model.safetensors").write_bytes(b"garbage" * 9)
    return ["--weights", path], "Expected weights in safetensors format"


def no_recordings(folder):
    return ["--recordings", 0], "--recordings must be at least 1"


@pytest.mark.parametrize(
    "case",
    [absent, other_classes, one_head, other_skeleton, incomplete, garbage,
     no_recordings],
)  # fmt: skip
def test_errors_are_one_line(run, tmp_path, case):
    arguments, message = case(tmp_path)
    with pytest.raises(SystemExit, match=message) as raised:
        run(*arguments)
    assert str(raised.value).startswith("Error: ")
    assert "\n" not in str(raised.value)
