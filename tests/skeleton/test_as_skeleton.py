import pytest

from symgnn_pyg import Skeleton
from symgnn_pyg.skeleton import as_skeleton


def test_skeletons_and_names():
    skeleton = Skeleton(["a", "b"], [("b", "a")])
    assert as_skeleton(skeleton) is skeleton
    assert as_skeleton("ntu25") == Skeleton.get("ntu25")


@pytest.mark.parametrize("other", [3, None, ["a"]])
def test_other_types(other):
    kind = type(other).__name__
    with pytest.raises(
        TypeError, match=f"Expected 'skeleton' to be a Skeleton, got {kind};"
    ):
        as_skeleton(other)


def test_unknown_name():
    with pytest.raises(ValueError, match=r"one of 'ntu25', .* got 'ntu24'"):
        as_skeleton("ntu24")
