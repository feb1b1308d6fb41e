"""The command as a whole: help, errors, interruption."""

import argparse
import json
import os
import pkgutil
import re
import runpy
import sys
from configparser import ConfigParser
from io import BytesIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pytest

import symgnn_pyg
from symgnn_pyg.cli import COMMANDS, layouts, main, make_parser
from symgnn_pyg.cli.arguments import Formatter

ROOT = Path(__file__).parents[2]
NAMES = [module.__name__.rpartition(".")[2] for module in COMMANDS]


def test_installed_command():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    entry = config["options.entry_points"]["console_scripts"]
    name, _, target = entry.strip().partition(" = ")
    assert name == "symgnn-pyg"
    assert pkgutil.resolve_name(target) is main


def test_module_is_the_same_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["symgnn_pyg", "layouts", "hand21"])
    with pytest.raises(SystemExit) as done:
        runpy.run_module("symgnn_pyg", run_name="__main__")
    assert done.value.code == 0
    assert capsys.readouterr().out.startswith("hand21: 21 joints")


@pytest.mark.parametrize("name", NAMES)
def test_help_tells_every_default(name, capsys):
    with pytest.raises(SystemExit) as done:
        main([name, "--help"])
    assert done.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    (commands,) = (
        action.choices
        for action in make_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    for action in commands[name]._actions:
        told = Formatter("")._expand_help(action)
        assert told in text
        if action.option_strings and not action.required:
            assert action.dest == "help" or "(default: " in told
            assert "None" not in told
            assert not re.search(r"default: [(\[]", told)


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.split()[1] == symgnn_pyg.__version__


@pytest.mark.parametrize(
    "arguments", [[], ["nothing"], ["predict"], ["layouts", "--json"]]
)
def test_wrong_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as done:
        main(arguments)
    assert done.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_errors_are_one_sentence_and_name_options(run, folder):
    status, out, err = run("info", folder)
    assert (status, out) == (1, "")
    assert err.startswith("Error: --layout or --skeleton is required")
    assert err.count("\n") == 1


def test_errors_name_options_of_numbers(run, tmp_path):
    point = [{"x": 1.0, "y": 2.0, "z": 3.0}] * 33
    path = tmp_path / "two.json"
    path.write_text(json.dumps([[point, point]]))
    _, _, err = run("info", path, "--format", "mediapipe")
    assert err.endswith("to read several, pass --max-bodies 2\n")


def test_unknown_model_and_absent_file(fails, tmp_path):
    for what in ("nothing", tmp_path / "absent.npy"):
        assert str(what) in fails("info", what)


def test_interruption(run, monkeypatch):
    def stop(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(layouts, "run", stop)
    assert run("layouts") == (130, "", "\nStopped\n")


def test_a_closed_pipe_is_no_error(monkeypatch, capsys):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert main(["layouts"]) == 1
    assert capsys.readouterr().err == ""


def test_a_closed_output_is_no_error(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["layouts"]) == 0


def test_names_that_the_output_cannot_hold(monkeypatch, tmp_path):
    np.save(tmp_path / "\u65e5.npy", np.ones((2, 3, 1)))
    with TextIOWrapper(BytesIO(), "ascii") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert main(["info", str(tmp_path / "\u65e5.npy")]) == 0
        assert b"\\u65e5.npy" in out.buffer.getvalue()


def test_only_arguments_become_options(fails, tmp_path):
    np.save(tmp_path / "a.npy", np.ones((9, 17, 3)))
    given = ["--layout", "coco17", "--rotations"]
    assert "centre='nose')" in fails("view", tmp_path / "a.npy", *given)


@pytest.mark.parametrize(
    ("command", "room", "package", "extra"),
    [
        ("train", "training", "lightning", "train"),
        ("view", "visualization", "matplotlib", "vis"),
    ],
)
def test_a_missing_extra_is_named(
    fails, monkeypatch, folder, skeleton_file, tmp_path, command, room,
    package, extra,
):  # fmt: skip
    monkeypatch.setitem(sys.modules, package, None)
    for name in [*sys.modules]:
        if name.startswith(f"symgnn_pyg.{room}"):
            monkeypatch.delitem(sys.modules, name)
        elif name.partition(".")[0] == package:
            monkeypatch.setitem(sys.modules, name, None)
    given = {
        "train": ["--data", folder, "--output", tmp_path / "out"],
        "view": [folder / "calm/0.npy", "--output", tmp_path / "a.html"],
    }
    err = fails(command, *given[command], "--skeleton", skeleton_file)
    assert f'pip install "symgnn_pyg[{extra}]"' in err
