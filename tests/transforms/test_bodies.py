import torch

from symgnn_pyg.transforms.bodies import draw_uniform


def test_equal_for_the_bodies_of_a_sample():
    drawn = draw_uniform(torch.tensor([0, 0, 1, 2, 2]), -1.0, 3.0, 2)
    assert drawn.shape == (5, 2)
    assert torch.equal(drawn[0], drawn[1])
    assert torch.equal(drawn[3], drawn[4])
    assert len(set(drawn.flatten().tolist())) == 6


def test_range():
    drawn = draw_uniform(torch.arange(20_000), -1.0, 3.0)
    assert drawn.shape == (20_000,)
    assert -1.0 <= drawn.min() < -0.999
    assert 2.999 < drawn.max() <= 3.0
    # The standard error of the mean is 4 / sqrt(12 * 20000) = 0.008.
    assert abs(drawn.mean() - 1.0) < 0.025


def test_no_choice():
    assert draw_uniform(torch.arange(9), 0.1, 0.1).eq(0.1).all()
