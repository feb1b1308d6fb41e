import pytest
import torch

from symgnn_pyg.nn import TemporalPool


def test_starts_as_the_mean(dtype):
    x = torch.randn(6, 5, 3, dtype=dtype)
    pool = TemporalPool(5, 3).to(dtype)
    torch.testing.assert_close(pool(x), x.mean(dim=1))
    torch.nn.init.normal_(pool.logits)
    assert not torch.allclose(pool(x), x.mean(dim=1))
    pool.reset_parameters()
    torch.testing.assert_close(pool(x), x.mean(dim=1))


def test_any_frame_can_be_chosen_for_any_channel(dtype):
    x = torch.randn(6, 5, 3, dtype=dtype)
    pool = TemporalPool(5, 3).to(dtype)
    frames = torch.tensor([4, 0, 2])
    with torch.no_grad():
        pool.logits[frames, torch.arange(3)] = 100.0
    torch.testing.assert_close(pool(x), x[:, frames, torch.arange(3)])


@pytest.mark.parametrize("shape", [(6, 4, 3), (6, 5, 2), (6, 15)])
def test_wrong_shape(shape):
    with pytest.raises(ValueError, match=r"Expected 'x' of shape \[M, 5, 3\]"):
        TemporalPool(5, 3)(torch.randn(shape))
