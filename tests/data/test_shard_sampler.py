from itertools import chain

import pytest

from symgnn_pyg.data import ShardSampler


def parts(count, num_ranks, **arguments):
    return [
        list(ShardSampler(range(count), rank, num_ranks, **arguments))
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
        sampler = ShardSampler(range(50), 0, 1, seed=seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)


@pytest.mark.parametrize("rank", [-1, 2])
def test_no_such_rank(rank):
    with pytest.raises(ValueError, match=rf"'rank' .*0\.\.1, got {rank}"):
        ShardSampler(range(9), rank, 2)


def test_too_few_samples():
    with pytest.raises(ValueError, match="2 samples are too few for 3"):
        ShardSampler(range(2), 0, 3)
