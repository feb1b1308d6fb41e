import math

import pytest

from symgnn_pyg.visualization.optional import optional


def test_there():
    assert optional("math", "math", "test") is math


def test_not_there():
    with pytest.raises(
        ImportError, match=r"'f' requires .* 'pip install no-such'"
    ):
        optional("no_such_module", "no-such", "f")
