import importlib
import os
import signal
import sys

import pytest
from shared import no_traceback

from tests.examples.scripts import run_script


@pytest.fixture(autouse=True)
def _handler(monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def lightning_stops():
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        sys.exit(1)


@pytest.mark.parametrize(
    "stop",
    [
        lambda: os.kill(os.getpid(), signal.SIGINT),
        lambda: os.kill(os.getpid(), signal.SIGTERM),
        lightning_stops,
    ],
    ids=["Ctrl-C", "terminate", "Lightning"],
)
def test_stopped(stop, capsys):
    with pytest.raises(SystemExit) as ending, no_traceback(lambda: "Stopped."):
        stop()
    assert ending.value.code == 130
    assert capsys.readouterr().err == "\nStopped.\n"


def test_other_endings():
    with pytest.raises(SystemExit, match=r"^Error: no file"), no_traceback():
        raise FileNotFoundError("no file")
    with pytest.raises(SystemExit, match=r"^2$"), no_traceback():
        sys.exit(2)
    with pytest.raises(KeyError), no_traceback():
        raise KeyError


@pytest.mark.parametrize("script", ["live.py", "own_skeletons.py"])
def test_scripts_that_draw_nothing_need_no_matplotlib(
    script, monkeypatch, capsys
):
    # It imports matplotlib wherever that is installed.
    importlib.import_module("torchmetrics")
    monkeypatch.delitem(sys.modules, "shared")
    for package in ("matplotlib", "lightning", "plotly"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SystemExit, match=r"^0$"):
        run_script(script, "--help")
    assert "--output" in capsys.readouterr().out
