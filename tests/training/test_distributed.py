import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

SCRIPT = Path(__file__).with_name("distributed_run.py")


def losses(folder, processes):
    launch = ["-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
    subprocess.run(
        [
            sys.executable,
            *(launch if processes > 1 else []),
            str(SCRIPT),
            str(folder),
        ],
        env={**os.environ, "PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        timeout=300,
    )
    return [
        torch.tensor(json.loads(path.read_text()))
        for path in sorted(folder.glob("losses_*.json"))
    ]


def test_two_processes_learn_what_one_does(tmp_path):
    """With the same global batch, within 1e-4 of each loss after five steps;
    the weight of the losses is the same in both.
    """
    (one,) = losses(tmp_path / "one", 1)
    first, second = losses(tmp_path / "two", 2)
    assert one.shape == (5, 3)
    mean = (first + second) / 2
    torch.testing.assert_close(mean, one, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(first[:, 2], second[:, 2], rtol=0, atol=0)
    assert len(set(one[:, 2].tolist())) > 1
    assert not torch.allclose(first, second)


def test_batch_that_does_not_divide(tiny, tmp_path):
    _, data, _ = tiny.make_run(tmp_path, data={"batch_size": 3})
    data.trainer = SimpleNamespace(world_size=2, global_rank=0)
    with pytest.raises(ValueError, match="3 does not divide by the 2"):
        data.train_dataloader()
