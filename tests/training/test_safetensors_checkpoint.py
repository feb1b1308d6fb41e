import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from symgnn_pyg.errors import DataError
from symgnn_pyg.training import SafetensorsCheckpoint

CHECKPOINT = {
    "epoch": 3,
    "state": {"w": torch.arange(6.0).view(2, 3), "n": torch.tensor(7)},
    "optimizers": [{0: {"step": torch.tensor(2.0)}, "betas": (0.9, 0.999)}],
    "nothing": None,
    "names": ["a", "ä"],
    "a.b": torch.zeros(2),
    "a": {"b": torch.ones(2)},
    "nested": {"x": {1: [True, 1.5e-300]}, "empty": {}, "list": []},
}


def same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other) and one.dtype == other.dtype
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(
            same(one[k], other[k]) for k in one
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "x.ckpt"


WRITER = SafetensorsCheckpoint()
BASE = torch.arange(12.0)


@pytest.mark.parametrize(
    "checkpoint",
    [
        CHECKPOINT,
        {"a": BASE[:6], "b": BASE[4:], "c": BASE.view(3, 4).t()},
        {"v": [0.1, 1e-320, 2.0**53 + 1, -0.0, float("inf")]},
    ],
    ids=["everything", "shared and strided memory", "exact numbers"],
)
def test_round_trip(path, checkpoint):
    WRITER.save_checkpoint(checkpoint, path)
    assert same(WRITER.load_checkpoint(path), checkpoint)


@pytest.mark.parametrize(
    ("checkpoint", "message"),
    [
        ({"hooks": [1, lambda: 0]}, r"checkpoint\.hooks\.1 must be .*func"),
        # A subclass would come back as something else.
        ({"shape": torch.Size([2])}, r"checkpoint\.shape must be .*Size"),
    ],
)
def test_what_cannot_be_kept_is_named(path, checkpoint, message):
    with pytest.raises(TypeError, match=message):
        WRITER.save_checkpoint(checkpoint, path)
    assert not [*path.parents[1].iterdir()]


def test_storage_options(path):
    with pytest.raises(TypeError, match="storage_options"):
        WRITER.save_checkpoint({}, path, 1)


def test_failed_write_keeps_what_was_there(path):
    WRITER.save_checkpoint(CHECKPOINT, path)
    with pytest.raises(TypeError):
        WRITER.save_checkpoint({"bad": object()}, path)
    assert same(WRITER.load_checkpoint(path), CHECKPOINT)


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def check_refused(path):
    with pytest.raises(
        DataError, match=r"Expected .*x\.ckpt to be a checkpoint"
    ):
        WRITER.load_checkpoint(path)


@pytest.mark.parametrize("kind", ["pickle", "torch", "text", "empty"])
def test_files_that_are_no_checkpoint(tmp_path, kind):
    path, sprung = tmp_path / "x.ckpt", tmp_path / "sprung"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Trap(sprung)))
    elif kind == "torch":
        torch.save({"state": Trap(sprung)}, path)
    else:
        path.write_text("no checkpoint" if kind == "text" else "")
    check_refused(path)
    assert not sprung.exists()


@pytest.mark.parametrize(
    "tree", ["{", "{}", '{"tensor": "absent"}', '{"dict": 5}', '{"set": [1]}']
)
def test_spoiled_trees(tmp_path, tree):
    path = tmp_path / "x.ckpt"
    save_file({"a": torch.zeros(1)}, path, {"tree": tree})
    check_refused(path)


def test_truncated(path):
    WRITER.save_checkpoint(CHECKPOINT, path)
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.99):
        path.write_bytes(whole[: int(share * len(whole))])
        check_refused(path)


def test_absent(path):
    with pytest.raises(FileNotFoundError):
        WRITER.load_checkpoint(path)


def test_header_is_readable(path):
    """A tool without this library sees names and numbers."""
    WRITER.save_checkpoint({"epoch": 3}, path)
    size = int.from_bytes(path.read_bytes()[:8], "little")
    header = json.loads(path.read_bytes()[8 : 8 + size])
    assert header["__metadata__"]["tree"] == '{"dict": [["epoch", 3]]}'
