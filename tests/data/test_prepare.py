import os
import time
import warnings
from functools import partial
from multiprocessing import Process

import numpy as np
import pytest

from symgnn_pyg import Skeleton
from symgnn_pyg.data import MotionSequence, SequenceStore
from symgnn_pyg.data.prepare import EmptyRecordingError, Recording, prepare
from symgnn_pyg.errors import DataError
from symgnn_pyg.io import Source

ARM = Skeleton(["a", "b"], [(1, 0)])
COUNT = 7


def parse(content, where, log=None, pause=0.0):
    text = content.decode()
    if log:
        with open(log, "a") as file:
            file.write(text + "\n")
    time.sleep(pause)
    if text == "nobody":
        raise EmptyRecordingError(f"{where} shows no skeleton")
    if text == "fault":
        raise DataError(f"{where}, line 1: a fault")
    return np.full((3, 2, 1), float(text))


def parse_and_warn(content, where):
    warnings.warn(f"{where}: what a number", stacklevel=1)
    return parse(content, where)


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    for i in range(COUNT):
        (root / f"{i}.txt").write_text(str(i))
    return root


def run(root, parser=parse, store=None, **arguments):
    with Source(root) as source:
        given = {
            "recordings": [
                Recording(f"clip {name}", name, i % 2)
                for i, name in enumerate(sorted(source))
            ],
            "skeleton": ARM, "classes": ["x", "y"], "shard_size": 3,
            **arguments,
        }  # fmt: skip
        path = store or root.with_suffix(".h5")
        return prepare(path, source, parse=parser, **given)


def values(store):
    return {
        name: (float(store[i][0, 0, 0, 0]), int(store.labels[i]))
        for i, name in enumerate(store.names)
    }


EXPECTED = {f"clip {i}.txt": (float(i), i % 2) for i in range(COUNT)}


@pytest.mark.parametrize("num_workers", [1, 2])
@pytest.mark.parametrize("shard_size", [1, 3, 100])
def test_all_is_there(root, num_workers, shard_size):
    store = run(root, num_workers=num_workers, shard_size=shard_size)
    assert values(store) == EXPECTED
    assert len(store.shards) == -(-COUNT // shard_size)
    assert all(len(checksum) == 64 for checksum in store.checksums)


@pytest.mark.parametrize("num_workers", [1, 2])
def test_few_of_many_warnings_are_shown(root, num_workers):
    with pytest.warns(UserWarning, match="what a|notes") as caught:
        run(root, parse_and_warn, num_workers=num_workers)
    *shown, rest = [str(each.message) for each in caught]
    assert {text.partition(":")[2] for text in shown} == {" what a number"}
    assert len(set(shown)) == 3
    assert rest == f"{root}: notes like these that are not shown: {COUNT - 3}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(root, parse_and_warn)


def test_recordings_are_dealt_out(root):
    store = run(root)
    assert [[n[5] for n in shard.names] for shard in store.shards] == [
        ["0", "3", "6"], ["1", "4"], ["2", "5"],
    ]  # fmt: skip


def parsed(log):
    return log.read_text().split() if log.exists() else []


def test_what_is_there_stays(root, tmp_path):
    log = tmp_path / "log"
    parser = partial(parse, log=log)
    run(root, parser, num_workers=1)
    assert len(parsed(log)) == COUNT
    run(root, parser, num_workers=1)
    assert len(parsed(log)) == COUNT
    (root / "1.txt").write_text("10")
    half = root.parent / ".data-00001.0a1b2c3d.h5"
    half.write_text("what a kill in the middle of writing leaves")
    assert values(run(root, parser, num_workers=1))["clip 1.txt"] == (10.0, 1)
    assert not half.exists()
    assert parsed(log)[COUNT:] == ["10", "4"]
    run(root, parser, recipe="another")
    assert len(parsed(log)) == 2 * COUNT + 2


def test_shards_that_are_no_longer_needed_go(root):
    run(root)
    run(root, shard_size=100)
    assert {path.name for path in root.parent.glob("*.h5")} == {"data.h5"}
    assert values(run(root)) == EXPECTED
    assert len(list(root.parent.glob("*.h5"))) == 3


def test_two_processes_at_once(root, tmp_path):
    log = tmp_path / "log"
    parser = partial(parse, log=log, pause=0.05)
    twins = [Process(target=run, args=(root, parser)) for _ in range(2)]
    for process in twins:
        process.start()
    for process in twins:
        process.join()
        assert process.exitcode == 0
    assert sorted(parsed(log)) == sorted(map(str, range(COUNT)))


def test_empty_recordings_are_listed(root):
    (root / "2.txt").write_text("nobody")
    with pytest.warns(UserWarning, match=r"1 of 7 .*2\.txt \(.* no skeleton"):
        store = run(root)
    assert list(store.skipped) == ["2.txt"]
    assert len(store) == COUNT - 1


@pytest.mark.parametrize("num_workers", [1, 2])
def test_faulty_recordings(root, num_workers):
    (root / "4.txt").write_text("fault")
    with pytest.raises(DataError, match=r"4\.txt, line 1: a fault"):
        run(root, num_workers=num_workers)
    with pytest.warns(UserWarning, match=r"4\.txt"):
        store = run(root, num_workers=num_workers, skip_faulty=True)
    assert "a fault" in store.skipped["4.txt"]
    with pytest.raises(DataError, match=r"4\.txt, line 1: a fault"):
        run(root, num_workers=num_workers)
    (root / "4.txt").write_text("4")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert values(run(root)) == EXPECTED


def test_frames_that_do_not_fit(root):
    with pytest.raises(DataError, match=r"0\.txt: frames of shape \[3, 1, 1\]"):
        run(root, lambda content, where: np.zeros((3, 1, 1)), num_workers=1)


def test_nobody_anywhere(root):
    for i in range(COUNT):
        (root / f"{i}.txt").write_text("nobody")
    message = rf"None of the {COUNT} recordings .*the first: .*0\.txt shows no"
    with pytest.raises(DataError, match=message):
        run(root)


def test_no_recordings(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(DataError, match="data holds no recordings"):
        run(tmp_path / "data")


def test_two_recordings_of_one_name(root):
    recordings = [Recording("a", f"{i}.txt", 0) for i in range(2)]
    with pytest.raises(DataError, match=r"'a': 0\.txt and 1\.txt"):
        run(root, recordings=recordings)


def test_store_of_other_data(root):
    store = run(root, shard_size=100)
    other = root.with_name("other")
    other.mkdir()
    (other / "a.txt").write_text("0")
    with pytest.raises(DataError, match="holds other data; delete"):
        run(other, store=store.path, classes=["z"], shard_size=100)
    assert values(SequenceStore(store.path)) == EXPECTED


def test_other_classes_and_skeletons_write_it_again(root):
    run(root)
    (root / "7.txt").write_text("7")
    legs = Skeleton(["a", "b"], [(1, 0)], parts={"up": [0], "down": [1]})
    files = [f"{i}.txt" for i in range(COUNT + 1)]
    recordings = [Recording(file, file, 0) for file in files]
    store = run(root, recordings=recordings, skeleton=legs, classes=["z"])
    assert (store.classes, len(store), store.skeleton) == (["z"], 8, legs)


def test_all_faults_are_named(root):
    for i in range(1, 7, 2):
        (root / f"{i}.txt").write_text("fault")
    with pytest.raises(DataError) as raised:
        run(root, shard_size=100)
    assert str(raised.value).count("line 1: a fault") == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_that_cannot_be_written(root):
    root.parent.chmod(0o500)
    with pytest.raises(DataError, match="is not writable; the store"):
        run(root)
    root.parent.chmod(0o700)


def test_other_stores_are_left_alone(root):
    """However alike they are called."""
    others = {
        name: root.with_name(name)
        for name in ("data-front.h5", "data-00007.h5", ".data-front.half.h5")
    }
    frames = np.zeros((3, 2, 1))
    for path in others.values():
        SequenceStore.write(
            path, [MotionSequence("s", frames, 0)], ARM, ["x", "y"]
        )
    assert values(run(root, shard_size=100)) == EXPECTED
    assert all(path.is_file() for path in others.values())
    (root / "1.txt").write_text("10")
    run(root, shard_size=100)
    assert all(path.is_file() for path in others.values())
