import pytest
import torch

from symgnn_pyg.nn.batch import all_pairs, sample_of_body


@pytest.mark.parametrize(
    "counts", [[1], [3], [1, 1, 1], [2, 0, 1], [0, 2], [2, 0], [4, 1, 0, 3]]
)
@pytest.mark.parametrize("kind", [torch.int32, torch.int64])
def test_sample_of_each_body(counts, kind):
    num_bodies = torch.tensor(counts, dtype=kind)
    expected = [i for i, count in enumerate(counts) for _ in range(count)]
    assert sample_of_body(num_bodies, sum(counts)).tolist() == expected


def test_numbers_that_do_not_add_up():
    with pytest.raises(ValueError, match=r"must add up to 4.* got 3"):
        sample_of_body(torch.tensor([2, 1]), 4)


@pytest.mark.parametrize(
    ("num_bodies", "found"),
    [
        ([2, 1], r"\[2, 1\]"),
        (torch.tensor([2.0, 1.0]), r"torch\.float32 \[2\]"),
        (torch.tensor(3), r"torch\.int64 \[\]"),
        (torch.zeros(2, 50, dtype=torch.long), r"torch\.int64 \[2, 50\]$"),
    ],
)
def test_numbers_of_another_kind(num_bodies, found):
    message = rf"integers of shape \[N\], got {found}"
    with pytest.raises(ValueError, match=message):
        sample_of_body(num_bodies, 3)


def test_all_pairs_are_in_the_order_of_matrices():
    """Row i holds what acts on i."""
    pairs = all_pairs([(1, 2), (2, 1)])
    assert pairs.tolist() == [[0, 1, 0, 1, 2, 3], [0, 0, 1, 1, 2, 3]]
    pairs = all_pairs([(1, 3)], self_pairs=False)
    assert pairs.tolist() == [[1, 2, 0, 2, 0, 1], [0, 0, 1, 1, 2, 2]]
