import json

import pytest
import torch
from cross_validate import deal

from tests.examples.scripts import run_script


@pytest.fixture
def run(capsys, tmp_path, write_recording):
    data = tmp_path / "cmu"
    for action in ("running", "walking"):
        for i in range(1, 6):
            path = data / f"train/{action}/{action}_{i}.txt"
            write_recording(path, 40, seed=i + 10 * len(action))
    write_recording(data / "test/walking/walking_1.txt", 160, 7)
    write_recording(data / "test/soccer/soccer_1.txt", 160, 8)

    def run(*arguments):
        arguments = [
            "--data", data, "--output", tmp_path / "out", "--observed", 8,
            "--future", 2, "--channels", 4, 4, "--steps", 1,
            "--batch-size", 4, *arguments,
        ]  # fmt: skip
        run_script("cross_validate.py", *arguments)
        return capsys.readouterr().out

    return run


def test_every_recording_is_recognised_once(run, tmp_path):
    out = run("--seeds", 3, 5)
    found = json.loads((tmp_path / "out/recognition.json").read_text())
    networks = found["networks"]
    assert list(networks) == [
        "rotation, seed 3", "rotation, seed 5",
        "position, seed 3", "position, seed 5", "mean of 4",
    ]  # fmt: skip
    for parts in networks.values():
        # Soccer has one recording, which cannot be trained and tested on.
        assert parts["recordings"]["count"] == 11
        assert parts["windows"]["count"] > 11
        for cells in parts.values():
            assert 0 <= cells["top1"] <= cells["top5"] <= 1
    assert "soccer_1" not in out
    wrong = out.count("was recognised as")
    top1 = networks["mean of 4"]["recordings"]["top1"]
    assert top1 == pytest.approx(1 - wrong / 11)


def test_a_single_network_is_its_own_mean(run, tmp_path):
    run("--seeds", 0, "--kinds", "position")
    found = json.loads((tmp_path / "out/recognition.json").read_text())
    single, mean = found["networks"].values()
    assert single == mean


def test_folds_share_no_recording():
    class Store:
        labels = torch.tensor([0, 1, 0, 0, 2, 0, 0, 0, 1])
        classes = ("a", "b", "c")

    assert deal(Store) == {0: 0, 2: 1, 3: 2, 5: 3, 6: 4, 7: 0, 1: 0, 8: 1}


def test_no_data(run, tmp_path):
    with pytest.raises(SystemExit, match=r"Error: .*absent"):
        run("--data", tmp_path / "absent")
