from itertools import chain

import pytest
import torch

from symgnn_pyg.data import ShardSampler


def parts(count, num_ranks, **arguments):
    return [
        list(ShardSampler(range(count), num_ranks, rank, **arguments))
        for rank in range(num_ranks)
    ]


@pytest.mark.parametrize(("count", "num_ranks"), [(12, 3), (10, 4), (5, 5)])
@pytest.mark.parametrize("shuffle", [False, True])
def test_ranks_share_all(count, num_ranks, shuffle):
    shares = parts(count, num_ranks, shuffle=shuffle)
    assert set(chain(*shares)) == set(range(count))
    assert len({len(share) for share in shares}) == 1
    assert sum(map(len, shares)) - count < num_ranks


def test_stretches_are_contiguous():
    for share in parts(12, 3):
        assert max(share) - min(share) == 3


def test_order_depends_on_seed_and_epoch():
    def order(seed, epoch):
        sampler = ShardSampler(range(50), 1, 0, seed=seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)


@pytest.mark.parametrize("rank", [-1, 2])
def test_no_such_rank(rank):
    with pytest.raises(ValueError, match=rf"'rank' .*0\.\.1, got {rank}"):
        ShardSampler(range(9), 2, rank)


def test_too_few_samples():
    with pytest.raises(ValueError, match="2 samples are too few for 3"):
        ShardSampler(range(2), 3, 0)


def test_classes_are_drawn_equally_often():
    labels = torch.tensor([0] * 900 + [1] * 100)
    sampler = ShardSampler(range(1000), 1, 0, labels=labels)
    drawn = labels[list(sampler)]
    assert len(drawn) == 1000
    assert 400 < int((drawn == 0).sum()) < 600


def test_labels_of_other_samples():
    with pytest.raises(ValueError, match=r"'labels' of shape \[5\], got \[4\]"):
        ShardSampler(range(5), 1, 0, labels=torch.zeros(4))


@pytest.mark.parametrize("start", [0, 3, 10])
def test_resumed_epoch_is_the_rest_of_it(start):
    whole = ShardSampler(range(10), 1, 0)
    whole.set_epoch(4)
    rest = ShardSampler(range(10), 1, 0)
    rest.resume(4, start)
    rest.set_epoch(4)
    assert list(rest) == list(whole)[start:]
    rest.set_epoch(5)
    assert len(list(rest)) == 10
