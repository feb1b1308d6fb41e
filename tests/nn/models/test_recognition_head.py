import pytest
import torch

from symgnn_pyg.nn import RecognitionHead

N, V = 3, 5


@pytest.fixture
def head(arm):
    head = RecognitionHead(6, 4, arm, hidden_channels=8).double()
    head(torch.randn(20 * V, 6, dtype=torch.double))
    return head.eval()


@pytest.fixture
def h():
    return torch.randn(N * V, 6, dtype=torch.double)


def test_formula(head, h):
    fused = head.fuse(h).view(N, V, 8).mean(dim=1)
    expected = fused @ head.classify.weight.t() + head.classify.bias
    assert head(h).shape == (N, 4)
    torch.testing.assert_close(head(h), expected)


def test_bodies_of_a_sample_are_averaged(head, h):
    """Twins are recognised as one of them is, in any order of bodies."""
    alone = head(h)
    twins = h.view(-1, head.num_joints, h.size(-1)).repeat_interleave(2, dim=0)
    bodies = torch.full((alone.size(0),), 2)
    torch.testing.assert_close(head(twins.flatten(0, 1), bodies), alone)


def test_mixed_numbers_of_bodies(head, h):
    rows = h.view(-1, head.num_joints, h.size(-1))
    rows = torch.cat([rows, rows])[:3]
    bodies = torch.tensor([1, 2])
    out = head(rows.flatten(0, 1), bodies)
    one = head(rows[0])
    two = head(rows[1:].flatten(0, 1), torch.tensor([2]))
    torch.testing.assert_close(out, torch.cat([one, two]))
