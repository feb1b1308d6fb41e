import torch
from torch_geometric.data import Batch

from symgnn_pyg.transforms import TemporalTransform


class Half(TemporalTransform):
    """Looks at every half frame, from the first one or, for the second
    sample, from the third one on."""

    def times(self, num_observed, length, sample):
        return 2 * sample[:, None] + torch.arange(length) / 2


def test_times_of_each_sample(clip):
    done = Half()(Batch.from_data_list([clip(4)] * 2))
    assert done.x[0, :, 0].tolist() == [0.0, 0.5, 1.0, 1.5]
    assert done.future[0, :, 0].tolist() == [2.0, 2.5, 3.0, 3.5]
    assert done.x[4, :, 0].tolist() == [2.0, 2.5, 3.0, 3.5]
    assert done.future[4, :, 0].tolist() == [4.0, 4.5, 5.0, 5.5]


def test_mask_follows(clip):
    mask = torch.ones(4, 4, dtype=torch.bool)
    mask[2, 1] = False  # Times 0.5, 1 and 1.5 look at it.
    mask[3, 3] = False  # So do 2.5, 3 and 3.5 here, of the second sample.
    data = clip(4, mask=mask)
    done = Half()(Batch.from_data_list([data, data]))
    expected = torch.ones(8, 4, dtype=torch.bool)
    expected[2, 1:] = False
    expected[7, 1:] = False
    assert torch.equal(done.mask, expected)
    assert mask.sum() == 14


def test_a_motion_alone(body):
    motion = torch.arange(4.0).view(1, 1, 4, 1).expand(2, 4, 4, 1)
    done = Half().transform(motion, body, torch.tensor([0, 0]))
    assert done[1, 3, :, 0].tolist() == [0.0, 0.5, 1.0, 1.5]
