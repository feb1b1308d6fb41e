import pytest
import torch

from symgnn_pyg.transforms.place_joints import place_joints

QUARTER = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])  # x to y
OFFSETS = torch.tensor([[1.0, 2, 3], [1, 0, 0], [0, 0, 1], [0, 2, 0]])


def test_by_hand():
    """Two trees; the root turns what hangs from it, not itself."""
    places = place_joints(
        [-1, 0, -1, 1], OFFSETS, [QUARTER, QUARTER, None, None]
    )
    expected = [[1.0, 2, 3], [1, 3, 3], [0, 0, 1], [1, 1, 3]]
    assert torch.stack(places).tolist() == expected


def test_joint_that_does_not_turn_is_one_that_turns_by_nothing():
    torch.manual_seed(0)
    offsets, turn = torch.randn(4, 3), torch.randn(5, 3, 3)
    some = [None, turn, None, turn]
    every = [torch.eye(3) if r is None else r for r in some]
    for a, b in zip(
        place_joints([-1, 0, 1, 2], offsets, some),
        place_joints([-1, 0, 1, 2], offsets, every),
        strict=True,
    ):
        torch.testing.assert_close(a.expand(5, 3), b.expand(5, 3))


def test_offsets_that_change():
    torch.manual_seed(0)
    offsets, turns = torch.randn(2, 6, 3), torch.randn(2, 6, 3, 3)
    both = place_joints([-1, 0], offsets, turns)
    for t in range(6):
        one = place_joints([-1, 0], offsets[:, t], turns[:, t])
        for a, b in zip(one, both, strict=True):
            torch.testing.assert_close(a, b[t])


def test_lengths_that_differ():
    with pytest.raises(ValueError, match="zip"):
        place_joints([-1, 0], OFFSETS, [None, None])
