import gc
import os
import shutil
import signal
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("Agg")

ACTIONS = (
    "basketball",
    "basketball_signal",
    "directing_traffic",
    "jumping",
    "running",
    "soccer",
    "walking",
    "washwindow",
)
# The arguments of a network that is soon built.
TINY = {
    "num_observed": 8,
    "num_future": 2,
    "channels": (4, 6),
    "strides": (1, 2),
    "fusion": (1,),
    "num_hops": 2,
    "kernel_size": 3,
    "hidden_channels": 8,
}


def pytest_addoption(parser):
    option = "--without-torch-scatter"
    parser.addoption(
        option,
        action="store_true",
        help="run as if torch-scatter were not installed",
    )
    if option in sys.argv:
        # PyG looks for it when it is imported, as further conftest files do.
        sys.modules["torch_scatter"] = None


def pytest_configure():
    # Tests interrupt programs; jobs in the background would ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    # Imported modules and collected tests live until the end: visiting them in
    # every garbage collection would take a sixth of the time.
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items):
    # Tracing the lines that compilers and exporters run would take most of
    # the time.
    for item in items:
        if "compile" in item.name or "export" in item.nodeid:
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    # Tensors are tiny here: threads would only wait for each other.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture(
    params=[torch.float32, torch.float64], ids=["float32", "float64"]
)
def dtype(request):
    return request.param


@pytest.fixture(scope="session")
def tiny():
    """The module of a tiny run of training."""
    # It needs Lightning, which other tests do without.
    from tests.training import tiny_run

    return tiny_run


@pytest.fixture(scope="session")
def cmu_mocap():
    path = Path(os.environ.get("CMU_MOCAP", "cmu_mocap.zip"))
    if not path.exists():
        pytest.skip("Real motion is absent: set CMU_MOCAP to its files")
    return path


def _write_recording(path, rows, seed=0, columns=117):
    random = np.random.default_rng(seed)
    table = 0.3 * random.standard_normal((rows, columns))
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, table, fmt="%.4f", delimiter=",")


@pytest.fixture(scope="session")
def write_recording():
    """Writes a made-up recording in the form of CMU Mocap, or of Human3.6M
    with 99 columns."""
    return _write_recording


@pytest.fixture(scope="session")
def complete_recordings(tmp_path_factory):
    """All 48 files; the first row of each is marked by nines."""
    root = tmp_path_factory.mktemp("complete") / "cmu_mocap"
    for a, action in enumerate(ACTIONS):
        for i in range(1, 6):
            path = root / "train" / action / f"{action}_{i}.txt"
            _write_recording(path, 12, 10 * a + i)
        _write_recording(root / "test" / action / f"{action}_1.txt", 80, 10 * a)
    for path in root.rglob("*.txt"):
        first, rest = path.read_text().split("\n", 1)
        nines = ",".join(["9"] * len(first.split(",")))
        path.write_text(f"{nines}\n{rest}")
    return root


@pytest.fixture
def recordings(complete_recordings, tmp_path):
    """A copy of all files that a test may spoil."""
    return Path(shutil.copytree(complete_recordings, tmp_path / "cmu_mocap"))
