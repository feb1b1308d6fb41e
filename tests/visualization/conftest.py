import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from symgnn_pyg import Skeleton

PROGRAM = next(
    filter(
        None,
        map(shutil.which, ("chromium", "chromium-browser", "google-chrome")),
    ),
    None,
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,800",
    "--remote-debugging-pipe",
)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture
def arm():
    return Skeleton(["shoulder", "elbow", "hand"], [(1, 0), (2, 1)], name="arm")


@pytest.fixture
def crab():
    """Its names say nothing about its sides; its pairs do."""
    return Skeleton(["shell", "a", "b"], [(1, 0), (2, 0)], pairs=[("a", "b")])


class Browser:
    """Chromium without a window, spoken to in the DevTools protocol through a
    pair of pipes."""

    def __init__(self, profile: Path, patience: float = 60.0) -> None:
        read, self.writer = os.pipe()
        self.reader, write = os.pipe()
        self.process = subprocess.Popen(
            # It reads from 3 and writes to 4.
            [
                *("bash", "-c", f'exec "$@" 3<&{read} 4>&{write}', "bash"),
                *(PROGRAM, *FLAGS, f"--user-data-dir={profile}"),
                "about:blank",
            ],
            pass_fds=(read, write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read)
        os.close(write)
        self.patience = patience
        self.count = 0
        self.pending = b""
        self.events = []
        self.session = {}
        target = self.send("Target.createTarget", url="about:blank")
        self.session = {
            "sessionId": self.send(
                "Target.attachToTarget", flatten=True, **target
            )["sessionId"]
        }
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        text = json.dumps(message | self.session)
        os.write(self.writer, text.encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self.count:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _receive(self):
        while b"\0" not in self.pending:
            ready, _, _ = select.select([self.reader], [], [], self.patience)
            assert ready, "The browser does not answer"
            received = os.read(self.reader, 1 << 20)
            assert received, "The browser has ended"
            self.pending += received
        message, _, self.pending = self.pending.partition(b"\0")
        return json.loads(message)

    def evaluate(self, expression: str):
        answer = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        end = time.monotonic() + self.patience
        while not self.evaluate(expression):
            assert time.monotonic() < end, f"Never came true: {expression}"
            time.sleep(0.05)

    def drag(self, start, *further) -> None:
        """Presses the mouse at one point and lets go at the last."""
        where = [dict(zip("xy", point, strict=True)) for point in further]
        first = dict(zip("xy", start, strict=True))
        last = (where or [first])[-1]
        button = {"button": "left", "buttons": 1, "clickCount": 1}
        self._mouse("mouseMoved", first)
        self._mouse("mousePressed", first | button)
        for point in where:
            self._mouse("mouseMoved", point | button)
            time.sleep(0.05)
        self._mouse("mouseReleased", last | button | {"buttons": 0})

    def _mouse(self, kind, params) -> None:
        self.send("Input.dispatchMouseEvent", type=kind, **params)

    def screenshot(self, path: Path):
        data = self.send("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))
        return plt.imread(path)[..., :3]

    def close(self) -> None:
        try:
            os.write(self.writer, b'{"id": 0, "method": "Browser.close"}\0')
            self.process.wait(20)
        finally:
            self.process.kill()
            os.close(self.writer)
            os.close(self.reader)


@pytest.fixture
def browser(tmp_path):
    if PROGRAM is None:
        pytest.skip("No Chromium here to open the page in")
    browser = Browser(tmp_path / "profile")
    yield browser
    browser.close()
