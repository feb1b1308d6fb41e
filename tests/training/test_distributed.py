import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tests.training.distributed_run import full_batches

SCRIPT = Path(__file__).with_name("distributed_run.py")


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What two processes found, after one of them was killed once."""
    folder = tmp_path_factory.mktemp("two")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--nproc-per-node=2",
            "--max-restarts=3",
            "--rdzv-backend=c10d",
            "--rdzv-endpoint=localhost:0",
            str(SCRIPT),
            str(folder),
        ],
        env={
            **os.environ,
            "PYTHONPATH": os.getcwd(),
            "OMP_NUM_THREADS": "1",
            # Without it, those that start again may meet the addresses of
            # those that are gone: github.com/pytorch/pytorch/issues/135712.
            "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [
        json.loads((folder / f"found_{rank}.json").read_text())
        for rank in (0, 1)
    ]


def test_two_processes_learn_what_one_does(two, tmp_path):
    """With the same global batch, within 1e-4 of each loss after five steps;
    the weight of the losses is the same in both.
    """
    one = torch.tensor(full_batches(tmp_path))
    first, second = (torch.tensor(found["losses"]) for found in two)
    assert one.shape == (5, 3)
    mean = (first + second) / 2
    torch.testing.assert_close(mean, one, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(first[:, 2], second[:, 2], rtol=0, atol=0)
    assert len(set(one[:, 2].tolist())) > 1
    assert not torch.allclose(first, second)


def test_all_processes_stop_where_one_loss_is_not_finite(two):
    first, second = (found["stops"]["error"] for found in two)
    step = second.split(":")[0]
    assert first.startswith(f"{step}: the loss is not finite")
    assert first.endswith("on another process")
    assert "in sample 13 ('2' from frame 3)" in second


def test_all_processes_skip_where_one_loss_is_not_finite(two):
    """Once in each of two epochs."""
    first, second = (found["skips"] for found in two)
    assert first["skipped"] == second["skipped"] == 2
    assert first["steps"] == second["steps"] == 10
    assert first["weights"] == second["weights"]
    assert all(map(torch.isfinite, torch.tensor(first["weights"])))
    assert not first["warned"]
    assert all("sample 13" in warning for warning in second["warned"])


def test_processes_start_again_after_one_was_killed(two):
    """The weights end, bit by bit, as if nothing had happened."""
    found = [each["elastic"] for each in two]
    for one in found:
        assert one["restarts"] == 1
        assert one["resumed"]
        assert one["weights"] == one["expected"]
    assert found[0]["weights"] == found[1]["weights"]


def test_batch_that_does_not_divide(tiny, tmp_path):
    _, data, _ = tiny.make_run(tmp_path, data={"batch_size": 3})
    data.trainer = SimpleNamespace(world_size=2, global_rank=0)
    with pytest.raises(
        ValueError, match=r"divisible by .* processes, 2, got 3"
    ):
        data.train_dataloader()
