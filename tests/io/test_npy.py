import io
import zipfile

import numpy as np
import pytest

from symgnn_pyg.errors import DataError
from symgnn_pyg.io import read_npy


def saved(array, **arguments):
    file = io.BytesIO()
    np.save(file, array, **arguments)
    return file.getvalue()


def zipped(compress=zipfile.ZIP_DEFLATED, **files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compress) as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def announced(shape, dtype="<f8", data=b""):
    file = io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + data


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f8", "i1", "u2", "<i8"])
def test_any_real_numbers(dtype):
    array = np.arange(24).reshape(4, 2, 3).astype(dtype)
    np.testing.assert_array_equal(read_npy(saved(array), "a.npy"), array)
    content = zipped(frames=saved(array))
    np.testing.assert_array_equal(read_npy(content, "a.npz"), array)


def test_fortran_order():
    array = np.asfortranarray(np.arange(24.0).reshape(4, 2, 3))
    np.testing.assert_array_equal(read_npy(saved(array), "a.npy"), array)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_saves(save):
    file, array = io.BytesIO(), np.ones((4, 2, 3))
    save(file, array)
    np.testing.assert_array_equal(read_npy(file.getvalue(), "a.npz"), array)


@pytest.mark.parametrize(
    "array",
    [
        np.ones(2, complex),
        np.ones(2, bool),
        np.array(["a"]),
        np.zeros(2, "f4,f4"),
        np.array([1, None]),
    ],
)
def test_what_is_no_real_number(array):
    content = saved(array, allow_pickle=True)
    with pytest.raises(DataError, match=r"a\.npy has elements of type"):
        read_npy(content, "a.npy")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"a\.npy is not a readable \.npy file"),
        (b"\x93NUMPY", r"a\.npy is not a readable \.npy file"),
        (b"PK\x03\x04", r"a\.npy is not a readable \.npz file"),
        (b"\x93NUMPY\x09\x00" + bytes(200), r"not a readable \.npy file"),
        (announced((10**12, 5, 3)), r"\[1000000000000, 5, 3\], 12\d+ bytes, "
         r"but holds 0"),
        (announced((10**30,)), r"but holds 0; it may be truncated"),
        (announced((-1, -1), data=bytes(8)), r"but holds 8"),
        (announced((0, 5, 3)), r"empty array of shape \[0, 5, 3\]"),
        (saved(np.ones((5, 3))), r"shape \[5, 3\], expected \[T, V, C\] or "
         r".*save array\.reshape\(len\(array\), V, -1\)$"),
        (saved(np.ones((1, 1, 1, 1, 1))), r"shape \[1, 1, 1, 1, 1\], expected "
         r".* for SkeletonArrays$"),
        (saved(np.full((2, 1, 1), [[[1]], [[np.nan]]])), r"a\.npy: frame 1 ho"),
        (saved(np.full((2, 3, 1, 1), np.inf)), r"a\.npy: frame 0 holds a num"),
        (saved(np.ones((4, 2, 3)))[:-1], r"192 bytes, but holds 191"),
        (saved(np.ones((4, 2, 3))) + b"x", r"192 bytes, but holds 193"),
        (announced((2,), "(" * 400), r"a\.npy is not a readable \.npy file"),
        (announced((True, 3, 3), "f8"), r"shape \[1, 3, 3\], 72 bytes, but"),
    ],
)  # fmt: skip
def test_bad_arrays(content, message):
    with pytest.raises(DataError, match=message):
        read_npy(content, "a.npy")


ONE = saved(np.ones((4, 2, 3)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped(), r"a\.npz holds 0 arrays"),
        (zipped(x=ONE, y=ONE), r"holds 2 arrays \(x, y\), expected one"),
        (zipped(x=ONE)[:-30], r"a\.npz is not a readable \.npz file"),
        (zipped(x=ONE[:-1]), r"a\.npz, array x announces"),
        (zipped(zipfile.ZIP_LZMA, x=ONE), r"compression method"),
        (zipped(zipfile.ZIP_STORED, x=ONE).replace(ONE, ONE[:-1] + b"x"),
         r"a\.npz is not a readable \.npz file.*CRC"),
    ],
)  # fmt: skip
def test_bad_archives(content, message):
    with pytest.raises(DataError, match=message):
        read_npy(content, "a.npz")
