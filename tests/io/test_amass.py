import io

import numpy as np
import pytest

from symgnn_pyg.errors import DataError
from symgnn_pyg.io import read_amass, read_npy

POSES = np.random.default_rng(0).normal(size=(7, 156))


def saved(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize("rate", ["mocap_framerate", "mocap_frame_rate"])
@pytest.mark.parametrize("width", [66, 72, 156, 165])
def test_body_of_22_joints(tmp_path, rate, width):
    poses = np.zeros((7, width))
    poses[:, :66] = POSES[:, :66]
    content = saved(
        poses=poses, trans=np.zeros((7, 3)), gender="neutral",
        betas=np.zeros(16), **{rate: 120.0},
    )  # fmt: skip
    (tmp_path / "a.npz").write_bytes(content)
    frames, skeleton, frame_rate, _ = read_amass(tmp_path / "a.npz")
    np.testing.assert_array_equal(frames.reshape(7, 66), POSES[:, :66])
    assert (skeleton.name, frame_rate) == ("smpl22", 120.0)


def test_without_a_frame_rate():
    assert read_amass(saved(poses=POSES)).frame_rate is None


@pytest.mark.parametrize(
    ("arrays", "fault"),
    [
        ({"trans": POSES}, r"expected 'poses' of shape \[T, 66\].*got \[0\]"),
        ({"poses": POSES[:, :60]}, r"expected 'poses' .*got \[7, 60\]"),
        ({"poses": np.full((2, 66), np.nan)}, "frame 0 holds a number"),
        ({"poses": POSES, "fps": -1.0}, r"positive frame rate, got -1\.0"),
        ({"poses": np.array([None])}, "elements of type object"),
    ],
)
def test_other_files(arrays, fault):
    with pytest.raises(DataError, match=rf"a\.npz.*{fault}"):
        read_amass(saved(**arrays), "a.npz")


def test_arrays_by_key():
    content = saved(x=POSES[:, :24].reshape(7, 8, 3), y=POSES)
    found = read_npy(content, key="x")
    np.testing.assert_array_equal(found.reshape(7, 24), POSES[:, :24])
    with pytest.raises(DataError, match=r"2 arrays .*pass the 'key'"):
        read_npy(content)
    with pytest.raises(DataError, match="no array 'z', but x, y"):
        read_npy(content, key="z")
    with pytest.raises(DataError, match="use read_amass for"):
        read_npy(saved(poses=POSES, trans=POSES))
