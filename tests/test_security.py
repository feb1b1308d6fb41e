"""Nothing that the library opens is unpickled: each kind of file is a trap."""

import io
import pickle
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.data import MotionSequence, SequenceStore
from symgnn_pyg.datasets import (
    NTURGBD,
    CMUMocap,
    Human36M,
    KineticsSkeleton,
    SkeletonFolder,
)
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.training import SafetensorsCheckpoint

ARM = Skeleton(["chest", "elbow", "hand"], [(1, 0), (2, 1)])


class Trap:
    """What leaves a file when it is unpickled."""

    def __init__(self, sprung):
        self.sprung = sprung

    def __reduce__(self):
        return Path.touch, (self.sprung,)


@pytest.fixture
def sprung(tmp_path):
    return tmp_path / "sprung"


@pytest.fixture(autouse=True)
def _never_sprung(sprung):
    yield
    assert not sprung.exists()


def as_pickle(trap):
    return pickle.dumps(trap)


def as_torch(trap):
    stream = io.BytesIO()
    torch.save(trap, stream)
    return stream.getvalue()


def as_npy(trap):
    stream = io.BytesIO()
    np.save(stream, np.array([trap], dtype=object), allow_pickle=True)
    return stream.getvalue()


def as_npz(trap):
    stream = io.BytesIO()
    np.savez(stream, np.array([trap], dtype=object), allow_pickle=True)
    return stream.getvalue()


KINDS = [as_pickle, as_torch, as_npy, as_npz]


@pytest.mark.parametrize("make", KINDS)
def test_the_traps_work(make, tmp_path):
    sprung = tmp_path / "by the test"
    content = io.BytesIO(make(Trap(sprung)))
    if make is as_pickle:
        pickle.load(content)
    elif make is as_torch:
        torch.load(content, weights_only=False)
    else:
        loaded = np.load(content, allow_pickle=True)
        loaded if make is as_npy else list(loaded.values())
    assert sprung.exists()


def ntu(root, content):
    (root / "S001C001P001R001A001.skeleton").write_bytes(content)
    NTURGBD(root)


def kinetics(root, content):
    (root / "kinetics_train_label.json").write_bytes(content)
    KineticsSkeleton(root)


def human(root, content):
    path = root / "S1" / "walking_1.txt"
    path.parent.mkdir()
    path.write_bytes(content)
    Human36M(root, actions=["walking"], allow_missing=True)


def cmu(root, content):
    path = root / "train" / "walking" / "walking_1.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    CMUMocap(root, actions=["walking"], allow_missing=True)


def zipped(root, content):
    with zipfile.ZipFile(root / "cmu.zip", "w") as archive:
        archive.writestr("train/walking/walking_1.txt", content)
    CMUMocap(root / "cmu.zip", actions=["walking"], allow_missing=True)


def no_zip(root, content):
    (root / "cmu.zip").write_bytes(content)
    CMUMocap(root / "cmu.zip")


def folder(suffix):
    def read(root, content):
        (root / "wave").mkdir()
        (root / "wave" / f"one{suffix}").write_bytes(content)
        SkeletonFolder(root, ARM if suffix[1] in "nc" else None, num_observed=2)

    read.__name__ = f"folder{suffix}"
    return read


def store(root, content):
    (root / "store.h5").write_bytes(content)
    SequenceStore(root / "store.h5")


def checkpoint(root, content):
    (root / "last.ckpt").write_bytes(content)
    SafetensorsCheckpoint().load_checkpoint(root / "last.ckpt")


READERS = [
    ntu,
    kinetics,
    human,
    cmu,
    zipped,
    no_zip,
    *map(folder, (".npy", ".npz", ".csv", ".bvh", ".amc", ".asf")),
    store,
    checkpoint,
]


@pytest.mark.filterwarnings("ignore:.* lacks")
@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_no_file_is_unpickled(read, make, sprung, tmp_path):
    root = tmp_path / "files"
    root.mkdir()
    # A sentence, no traceback of a parser.
    with pytest.raises((ValueError, FileNotFoundError)):
        read(root, make(Trap(sprung)))


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_no_network_is_unpickled(file, make, sprung, tmp_path):
    model = SymGNN(
        ARM, 2, num_observed=4, num_future=2, channels=(4, 4), strides=(1, 1),
        fusion=(), hidden_channels=4,
    )  # fmt: skip
    model.save_pretrained(tmp_path)
    assert SymGNN.from_pretrained(tmp_path)
    (tmp_path / file).write_bytes(make(Trap(sprung)))
    with pytest.raises(ValueError, match=file):
        SymGNN.from_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["frames", "names", "labels"])
def test_no_attribute_or_data_of_a_store_is_unpickled(name, sprung, tmp_path):
    path = tmp_path / "store.h5"
    frames = np.zeros((5, 3, 3))
    SequenceStore.write(path, [MotionSequence("a", frames, 0)], ARM, ["wave"])
    content = np.void(pickle.dumps(Trap(sprung)))
    with h5py.File(path, "r+") as file:
        if name in file:
            del file[name]
        file[name] = content
        for key in list(file.attrs):
            file.attrs[key] = content
    with pytest.raises(ValueError, match=r"store\.h5"):
        SequenceStore(path)


def test_no_link_of_a_store_is_followed(tmp_path):
    path, other = tmp_path / "store.h5", tmp_path / "other.h5"
    frames = np.zeros((5, 3, 3))
    SequenceStore.write(path, [MotionSequence("a", frames, 0)], ARM, ["wave"])
    shutil.copy(path, other)
    with h5py.File(path, "r+") as file:
        name = next(key for key in file if isinstance(file[key], h5py.Dataset))
        del file[name]
        file[name] = h5py.ExternalLink(other.name, f"/{name}")
    with pytest.raises(ValueError, match="link"):
        SequenceStore(path)


def test_no_entry_of_an_archive_leaves_it(tmp_path):
    path = tmp_path / "cmu.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../train/walking/walking_1.txt", "0")
    with pytest.raises(ValueError, match=r"\.\."):
        CMUMocap(path)
