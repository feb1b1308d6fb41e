import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.loader import DataLoader

from symgnn_pyg import Skeleton
from symgnn_pyg.datasets.skeleton_arrays import SkeletonArrays
from symgnn_pyg.errors import DataError

ARM = Skeleton.from_bones([("elbow", "shoulder"), ("hand", "elbow")])
SHORT = {"num_observed": 3, "num_future": 2}
FRAMES = np.random.default_rng(0).normal(size=(20, 6, 3, 3)).astype("f4")
LABELS = ["up", "down"] * 10


def test_one_array():
    dataset = SkeletonArrays(FRAMES, LABELS, ARM, **SHORT)
    assert repr(dataset) == "SkeletonArrays(40, num_observed=3, num_future=2)"
    assert dataset.classes == ["down", "up"]
    data = dataset[3]  # The second window of the second recording.
    motion = torch.cat([data.x, data.future], dim=1).transpose(0, 1)
    assert torch.equal(motion, torch.from_numpy(FRAMES[1, 1:6]))
    assert data.y.tolist() == [0]
    (batch,) = DataLoader(dataset, 40)
    assert batch.x.shape == (120, 3, 3)


def test_tensors_of_any_length_and_number_of_bodies():
    motion = torch.arange(2 * 7 * 9, dtype=torch.double).view(2, 7, 3, 3)
    motion.requires_grad_()
    dataset = SkeletonArrays(
        [motion, motion[0, :5]], torch.tensor([2, 0]), ARM, **SHORT
    )
    assert dataset.classes == ["0", "1", "2"]
    assert len(dataset) == 3 + 1
    assert dataset[0].x.shape == (6, 3, 3)
    assert torch.equal(dataset[3].x, motion[0, :3].transpose(0, 1).float())
    assert dataset[3].y.tolist() == [0]


def test_splits_share_no_recording():
    splits = [
        SkeletonArrays(FRAMES, LABELS, ARM, split, **SHORT)
        for split in ("train", "val", "test")
    ]
    found = [set(split.windows.sequence.tolist()) for split in splits]
    assert [len(f) for f in found] == [16, 2, 2]
    assert len(set.union(*found)) == 20
    # They are written once.
    assert len({split.store.path for split in splits}) == 1


def test_clips_and_classes():
    dataset = SkeletonArrays(
        FRAMES, [1] * 20, ARM, samples="clips", classes=["up", "down"], **SHORT
    )
    assert len(dataset) == 20
    assert dataset.classes == ["up", "down"]
    assert dataset[0].y.tolist() == [1]


def test_store(tmp_path):
    path = tmp_path / "own.h5"
    one = SkeletonArrays(FRAMES, LABELS, ARM, path=path, **SHORT)
    again = SkeletonArrays(FRAMES, LABELS, ARM, path=path, **SHORT)
    assert torch.equal(one[0].x, again[0].x)
    with pytest.raises(DataError, match=r"own\.h5 holds other data"):
        SkeletonArrays(2 * FRAMES, LABELS, ARM, path=path, **SHORT)


def test_temporary_store_goes_with_its_process():
    script = (
        "import numpy as np\n"
        "from symgnn_pyg import Skeleton\n"
        "from symgnn_pyg.datasets.skeleton_arrays import SkeletonArrays\n"
        "arm = Skeleton.from_bones([('elbow', 'hand')])\n"
        "frames = np.zeros((1, 80, 2, 3))\n"
        "path = SkeletonArrays(frames, ['up'], arm).store.path\n"
        "assert path.exists()\n"
        "print(path)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not Path(done.stdout.strip()).parent.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": LABELS[:-1]}, r"20 'arrays' and 19 'labels'"),
        ({"labels": [0.5] * 20}, r"'labels' must be all .*got 0\.5 at 0"),
        ({"labels": ["a"] * 19 + [1]}, r"must be all .*got 1 at 19"),
        ({"labels": [-1] * 20}, r"label -1 is not one of"),
        ({"classes": ["up"]}, r"label 'down' is not one of the 1 classes up"),
        (
            {"labels": [1] * 20, "classes": ["up"]},
            r"label 1 is not one",
        ),
        ({"arrays": FRAMES + 0j}, r"arrays\[0\] has elements of type complex"),
        ({"arrays": FRAMES[:, :, :2]}, r"\[6, 2, 3\] do not fit \[T, 3, C\]"),
        ({"arrays": FRAMES[:, 0]}, r"\[3, 3\] do not fit \[T, 3, C\]"),
        ({"arrays": FRAMES * np.nan}, r"up/0: frame 0 holds a number that"),
        ({"arrays": [], "labels": []}, r"no sequences to store"),
        ({"split": "all"}, r"'split' must be one of"),
        ({"num_observed": 9}, r"no sequence has the 9 \+ 2 frames"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*too short for a window")
def test_bad_arguments(changes, message):
    arguments = {"arrays": FRAMES, "labels": LABELS, "skeleton": ARM, **SHORT}
    with pytest.raises(ValueError, match=message):
        SkeletonArrays(**{**arguments, **changes})
