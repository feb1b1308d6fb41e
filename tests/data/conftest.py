import pytest

from symgnn_pyg.data import SequenceStore
from tests.data.stored import CLASSES, LENGTHS, SKELETON, sequence


@pytest.fixture(scope="module")
def sequences():
    return [sequence(n, i % 2) for i, n in enumerate(LENGTHS)]


@pytest.fixture
def path(tmp_path, sequences):
    path = tmp_path / "store.h5"
    SequenceStore.write(path, iter(sequences), SKELETON, CLASSES)
    return path
