import re

import numpy as np
import pytest

from symgnn_pyg.inference import PoseModel
from tests.examples.scripts import run_script


@pytest.fixture
def run(capsys):
    def run(*arguments):
        run_script("own_skeletons.py", *arguments)
        return capsys.readouterr().out

    return run


def errors(out):
    return [float(e) for e in re.findall(r"mean joint error (\S+)", out)]


def test_a_short_training_learns_both_tasks(run, tmp_path):
    out = run("--output", tmp_path, "--steps", 40)
    assert "1420 windows of held-out recordings" in out
    assert float(re.search(r"recognised (\S+)%", out)[1]) > 80
    model, still = errors(out)
    assert model < still

    model = PoseModel.from_pretrained(tmp_path / "own_skeletons_model")
    assert model.classes == ["bow", "clap", "jump", "wave"]
    motion = np.load(next((tmp_path / "own_skeletons" / "wave").iterdir()))
    answer = model(motion)
    assert answer.action == "wave"
    assert answer.future.shape == (10, 5, 3)
    # In metres, as the recording.
    assert np.abs(answer.future - motion[-1]).max() < 1


def test_same_seed_gives_the_same_on_own_data(run, tmp_path):
    for i in range(8):
        frames = np.random.default_rng(i).normal(size=(32, 5, 3))
        path = tmp_path / f"own/{'ab'[i % 2]}/{i}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, frames)
    outs = []
    for i, seed in enumerate((1, 1, 2)):
        output = tmp_path / f"out{i}"
        out = run("--data", tmp_path / "own", "--output", output,
                  "--steps", 2, "--seed", seed)  # fmt: skip
        assert "6 windows of held-out recordings" in out
        outs.append(errors(out))
    assert outs[0] == outs[1] != outs[2]


def test_errors_are_one_line(run, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((40, 5, 3)))
    with pytest.raises(SystemExit, match=r"^Error: .*a\.npy; expected CLASS"):
        run("--data", tmp_path)
    with pytest.raises(SystemExit, match=r"^Error: There is no folder"):
        run("--data", tmp_path / "absent")
