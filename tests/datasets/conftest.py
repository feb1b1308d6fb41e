import numpy as np
import pytest

from tests.datasets.motion_folder import poses, write


@pytest.fixture
def root(tmp_path):
    """Ten recordings of two classes, in three formats."""
    folder = tmp_path / "motion"
    for i in range(10):
        write(folder / f"wave/{i}.npy", poses(8, i))
    for i in range(6):
        write(folder / f"bow/{i}.npy", poses(8, 10 + i))
    for i in range(6, 8):
        np.savez(folder / f"bow/{i}.npz", poses(8, 10 + i))
    for i in range(8, 10):
        rows = poses(8, 10 + i).reshape(8, 9)
        np.savetxt(folder / f"bow/{i}.csv", rows, delimiter=",", fmt="%.9g")
    return folder
