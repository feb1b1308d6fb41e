import contextlib
import itertools
import multiprocessing
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest


class Child:
    """A function that runs in a process of its own, a copy of this one that
    leads a group of processes, as a program started in a terminal does.
    """

    def __init__(self, log, run, *arguments):
        self.log = log
        self._process = multiprocessing.get_context("fork").Process(
            target=self._main, args=(run, *arguments)
        )
        self._process.start()
        self.pid = self._process.pid

    def _main(self, run, *arguments):
        os.setpgid(0, 0)
        with open(self.log, "w", buffering=1) as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            sys.stdout = sys.stderr = file
            try:
                run(*arguments)
                code = 0
            except SystemExit as stop:
                code = stop.code
            except BaseException:
                code = traceback.format_exc()
            if isinstance(code, str):
                print(code, flush=True)
                code = 1
        os._exit(code or 0)

    def wait(self, seconds=60):
        """The exit status and what was printed."""
        self._process.join(seconds)
        if self._process.is_alive():
            self._process.kill()
            raise AssertionError(f"it goes on: {self.log.read_text()}")
        return self._process.exitcode, self.log.read_text()


@pytest.fixture
def start(tmp_path_factory):
    """Starts a :class:`Child`."""
    children = []

    def start(run, *arguments):
        log = tmp_path_factory.mktemp("child") / "log"
        children.append(Child(log, run, *arguments))
        return children[-1]

    yield start
    for child in children:
        child._process.kill()


@pytest.fixture
def disk(tmp_path):
    """Mounts a disk of some size, or one that is read only."""
    places = []

    def mount(options):
        place = tmp_path / "disk"
        place.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        if os.geteuid() != 0 or subprocess.run(command).returncode != 0:
            pytest.skip("only who may mount disks can fill one")
        places.append(place)
        return place

    def remount(options):
        subprocess.run(
            ["mount", "-o", f"remount,{options}", str(places[-1])], check=True
        )

    mount.again = remount
    yield mount
    for place in places:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def until():
    """Waits for a condition."""
    return _until


def _exists(pid):
    with contextlib.suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
        return state.split()[0] != "Z"
    return False


@pytest.fixture
def exists():
    """Whether a process is there and no zombie."""
    return _exists


@pytest.fixture
def jumping_clock(monkeypatch):
    """A clock that is a day ahead and a day behind in turn."""
    days, now = itertools.cycle([1, -1]), time.time
    monkeypatch.setattr(time, "time", lambda: now() + 86_400.0 * next(days))
