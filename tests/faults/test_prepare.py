"""Full disks, kills and signals while a data set is prepared."""

import multiprocessing
import os
import resource
import shutil
import signal
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from symgnn_pyg.data import SequenceStore
from symgnn_pyg.datasets import SyntheticMotion
from symgnn_pyg.errors import DataError
from symgnn_pyg.files import replacing
from tests.data.test_prepare import run as prepared

COUNT, FRAMES = 8, 1000  # 24 kB each
FULL = (
    r"data.*\.h5 could not be written: (No space left on device|File too "
    r"large)\. Its previous contents are intact: free some space and try again$"
)


def parse(content, where, log=None, pause=0.0, hangs_at=None):
    if log:
        with open(log, "a") as file:
            file.write(f"{os.getpid()} {content.decode()}\n")
    time.sleep(30.0 if content == hangs_at else pause)
    return np.full((FRAMES, 2, 3), float(content.decode()))


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    for i in range(COUNT):
        (root / f"{i}.txt").write_text(str(i))
    return root


def run(root, store, parser=parse, workers=1, shard_size=2):
    return prepared(
        root, parser, store, shard_size=shard_size, num_workers=workers
    )


def whole(store):
    return sorted(float(store[i].mean()) for i in range(len(store))) == list(
        range(COUNT)
    )


def visible(folder):
    return sorted(path.name for path in folder.iterdir())


def parsed(log):
    """The processes that parse and what they parsed."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [line.split() for line in lines]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("size", ["4k", "8k", "80k", "140k"])
def test_disk_is_full(root, disk, size, workers):
    """In the header of a file, in its frames, and after some files."""
    folder = disk(f"size={size}")
    store = folder / "data.h5"
    with pytest.raises(OSError, match=FULL):
        run(root, store, workers=workers)
    shards = [name for name in visible(folder) if name != ".data.h5.lock"]
    assert all(name.startswith("data-0000") for name in shards), shards
    assert len(shards) < COUNT // 2
    disk.again("size=10m")
    assert whole(run(root, store, workers=workers))


def within(limit, root, store):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    run(root, store, shard_size=COUNT)


@pytest.mark.parametrize("limit", [3_000, 100_000])
def test_files_may_not_grow(root, start, limit):
    code, printed = start(within, limit, root, root.with_suffix(".h5")).wait()
    assert code == 1
    assert "h5 could not be written: File too large. Its previous" in printed
    assert set(visible(root.parent)) <= {"data", ".data.h5.lock"}


def test_read_only_disk(root, disk):
    folder = disk("ro")
    for store in (folder / "data.h5", folder / "new" / "data.h5"):
        with pytest.raises(DataError, match="is not writable; the store"):
            run(root, store)
    with pytest.raises(DataError, match="is not writable"):
        SyntheticMotion(folder)


def test_read_only_disk_that_holds_the_store(root, disk):
    folder = disk("size=10m")
    run(root, folder / "data.h5")
    SyntheticMotion(folder)
    disk.again("ro")
    assert whole(run(root, folder / "data.h5"))
    assert len(SyntheticMotion(folder)) > 0


def as_nobody(root, store):
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    run(root, store)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")
def test_folder_of_another_user(root, start):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(root, f"{folder}/data")
        child = start(as_nobody, Path(folder, "data"), Path(folder, "data.h5"))
        code, printed = child.wait()
        assert visible(Path(folder)) == ["data"]
    assert code == 1
    assert "is not writable; the store" in printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("group", [True, False])
def test_told_to_stop(root, tmp_path, start, until, exists, number, group):
    """As from a terminal, which tells the workers too, or by its number."""
    log = tmp_path / "log"

    def main():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            run(root, root.with_suffix(".h5"), partial(parse, log=log,
                pause=30.0), workers=2)  # fmt: skip
        except KeyboardInterrupt:
            raise SystemExit("Stopped") from None
        except ChildProcessError as error:
            # The workers were gone before this process heard of it.
            raise SystemExit(f"Stopped: {error}") from None

    child = start(main)
    until(lambda: len(parsed(log)) == 2)
    (os.killpg if group else os.kill)(child.pid, number)
    code, printed = child.wait(20)
    assert code == 1
    assert printed.splitlines()[-1].startswith("Stopped")
    assert "Traceback" not in printed
    workers = {int(pid) for pid, _ in parsed(log)}
    assert len(workers) == 2
    assert not any(map(exists, workers))
    assert visible(root.parent) == [".data.h5.lock", "data", "log"]
    assert whole(run(root, root.with_suffix(".h5")))


def test_a_process_that_reads_is_killed(root, tmp_path, start, until):
    log = tmp_path / "log"
    slow = partial(parse, log=log, pause=0.2)
    child = start(run, root, root.with_suffix(".h5"), slow, 2)
    until(lambda: len(parsed(log)) == 6)
    os.kill(int(parsed(log)[-1][0]), signal.SIGKILL)
    code, printed = child.wait()
    assert code == 1
    assert "ChildProcessError: A process reading data was killed" in printed
    assert "use fewer 'num_workers' than 2" in printed
    done = [name for name in visible(root.parent) if name.startswith("data-")]
    assert done
    before = len(parsed(log))
    assert whole(run(root, root.with_suffix(".h5"), partial(parse, log=log)))
    assert len(parsed(log)) - before == COUNT - 2 * len(done)


def test_workers_end_with_their_parent(root, tmp_path, start, until, exists):
    log = tmp_path / "log"
    slow = partial(parse, log=log, pause=30.0)
    child = start(run, root, root.with_suffix(".h5"), slow, 2)
    until(lambda: len(parsed(log)) == 2)
    os.kill(child.pid, signal.SIGKILL)
    until(lambda: not any(exists(int(pid)) for pid, _ in parsed(log)), 10)
    assert whole(run(root, root.with_suffix(".h5")))
    assert not list(root.parent.glob(".data-*"))


def test_who_waits_goes_on_when_the_other_is_killed(
    root, tmp_path, start, until
):
    store, log = root.with_suffix(".h5"), tmp_path / "log"
    first = start(run, root, store, partial(parse, log=log, hangs_at=b"2"))
    until(lambda: len(parsed(log)) == 5)
    with pytest.raises((DataError, FileNotFoundError)):
        SequenceStore(store)
    second = start(run, root, store, partial(parse, log=log))
    os.kill(first.pid, signal.SIGKILL)
    code, printed = second.wait()
    assert code == 0, printed
    # Two shards of two were done, and the one in work is made anew.
    assert [text for _, text in parsed(log)][5:] == ["2", "6", "3", "7"]
    assert whole(SequenceStore(store))


@pytest.mark.usefixtures("jumping_clock")
def test_clock_jumps_while_preparing(root, tmp_path):
    """Files from the far future and the far past are as good as others, and
    one that changed is read again, though it be older than before."""
    log, store = tmp_path / "log", root.with_suffix(".h5")
    reading = partial(parse, log=log)
    os.utime(root / "0.txt", (4e9, 4e9))
    os.utime(root / "1.txt", (0, 0))
    for _ in range(2):
        assert whole(run(root, store, reading))
        assert len(parsed(log)) == COUNT
    (root / "0.txt").write_text("9")
    os.utime(root / "0.txt", (1e9, 1e9))
    assert float(run(root, store, reading)[0].mean()) == 9.0
    assert [text for _, text in parsed(log)][COUNT:] == ["9", "4"]


def test_made_up_motion_by_two_at_once(tmp_path, start):
    barrier = multiprocessing.get_context("fork").Barrier(2)

    def make():
        barrier.wait(30)
        SyntheticMotion(tmp_path)

    for child in [start(make), start(make)]:
        assert child.wait()[0] == 0
    store = "synthetic_motion_0.h5"
    assert visible(tmp_path) == [f".{store}.lock", store]
    assert len(SyntheticMotion(tmp_path).store) == 152


def test_a_store_of_a_longer_name_is_written_meanwhile(root):
    with replacing(root.with_name("data.zip.h5")) as temporary:
        run(root, root.with_suffix(".h5"))
        assert temporary.exists()
