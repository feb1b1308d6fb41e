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


def test_round_trip(tmp_path):
    writer, path = SafetensorsCheckpoint(), tmp_path / "deep" / "x.ckpt"
    writer.save_checkpoint(CHECKPOINT, path)
    assert same(writer.load_checkpoint(path), CHECKPOINT)


def test_shared_and_strided_memory(tmp_path):
    base = torch.arange(12.0)
    checkpoint = {"a": base[:6], "b": base[4:], "c": base.view(3, 4).t()}
    writer = SafetensorsCheckpoint()
    writer.save_checkpoint(checkpoint, tmp_path / "x.ckpt")
    assert same(writer.load_checkpoint(tmp_path / "x.ckpt"), checkpoint)


def test_numbers_are_exact(tmp_path):
    values = {"v": [0.1, 1e-320, 2.0**53 + 1, -0.0, float("inf")]}
    writer = SafetensorsCheckpoint()
    writer.save_checkpoint(values, tmp_path / "x.ckpt")
    assert same(writer.load_checkpoint(tmp_path / "x.ckpt"), values)


def test_what_cannot_be_kept_is_named(tmp_path):
    with pytest.raises(TypeError, match=r"checkpoint\.hooks\.1 must be .*func"):
        SafetensorsCheckpoint().save_checkpoint(
            {"hooks": [1, lambda: 0]}, tmp_path / "x.ckpt"
        )
    assert not list(tmp_path.iterdir())


def test_subclasses_are_refused(tmp_path):
    """They would come back as something else."""
    with pytest.raises(TypeError, match=r"checkpoint\.shape must be .*Size"):
        SafetensorsCheckpoint().save_checkpoint(
            {"shape": torch.Size([2])}, tmp_path / "x.ckpt"
        )


def test_storage_options(tmp_path):
    with pytest.raises(TypeError, match="storage_options"):
        SafetensorsCheckpoint().save_checkpoint({}, tmp_path / "x.ckpt", 1)


def test_failed_write_keeps_what_was_there(tmp_path):
    path, writer = tmp_path / "x.ckpt", SafetensorsCheckpoint()
    writer.save_checkpoint(CHECKPOINT, path)
    with pytest.raises(TypeError):
        writer.save_checkpoint({"bad": object()}, path)
    assert same(writer.load_checkpoint(path), CHECKPOINT)


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("kind", ["pickle", "torch", "text", "empty"])
def test_files_that_are_no_checkpoint(tmp_path, kind):
    path, sprung = tmp_path / "x.ckpt", tmp_path / "sprung"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Trap(sprung)))
    elif kind == "torch":
        torch.save({"state": Trap(sprung)}, path)
    else:
        path.write_text("no checkpoint" if kind == "text" else "")
    with pytest.raises(
        DataError, match=r"Expected .*x\.ckpt to be a checkpoint"
    ):
        SafetensorsCheckpoint().load_checkpoint(path)
    assert not sprung.exists()


@pytest.mark.parametrize(
    "tree", ["{", "{}", '{"tensor": "absent"}', '{"dict": 5}', '{"set": [1]}']
)
def test_spoiled_trees(tmp_path, tree):
    path = tmp_path / "x.ckpt"
    save_file({"a": torch.zeros(1)}, path, {"tree": tree})
    with pytest.raises(
        DataError, match=r"Expected .*x\.ckpt to be a checkpoint"
    ):
        SafetensorsCheckpoint().load_checkpoint(path)


def test_truncated(tmp_path):
    path = tmp_path / "x.ckpt"
    SafetensorsCheckpoint().save_checkpoint(CHECKPOINT, path)
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.99):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(
            DataError, match=r"Expected .*x\.ckpt to be a checkpoint"
        ):
            SafetensorsCheckpoint().load_checkpoint(path)


def test_absent(tmp_path):
    with pytest.raises(FileNotFoundError):
        SafetensorsCheckpoint().load_checkpoint(tmp_path / "x.ckpt")


def test_header_is_readable(tmp_path):
    """A tool without this library sees names and numbers."""
    path = tmp_path / "x.ckpt"
    SafetensorsCheckpoint().save_checkpoint({"epoch": 3}, path)
    size = int.from_bytes(path.read_bytes()[:8], "little")
    header = json.loads(path.read_bytes()[8 : 8 + size])
    assert header["__metadata__"]["tree"] == '{"dict": [["epoch", 3]]}'
