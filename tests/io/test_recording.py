import pytest

from symgnn_pyg.errors import DataError
from symgnn_pyg.io import read_recording


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("a.MAT", r"numpy\.save\('clip\.npy', scipy\.io\.loadmat"),
        ("a.pkl", r"load it only if you trust it"),
        ("a.pickle", r"load it only if you trust it"),
        ("a.json", r"such as coco .* --format"),
        ("a.xls", r"save the sheet as \.csv"),
        ("a.c3d", r"motion capture as \.bvh or \.csv"),
        ("a", r"export it as one of them"),
    ],
)
def test_other_files_are_refused_with_a_cure(name, cure):
    with pytest.raises(DataError, match=rf"\.skeleton, got '{name}': .*{cure}"):
        read_recording(b"", name)
