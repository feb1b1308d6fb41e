"""Which recordings belong to a split, and which samples they give."""

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np

from symgnn_pyg.datasets.windows import SPLITS, check_window
from symgnn_pyg.errors import DataError, check_choices
from symgnn_pyg.typing import Samples

SHARES = (0.8, 0.1, 0.1)


def check_sampling(
    split: str | None,
    samples: str,
    num_observed: int,
    num_future: int,
    stride: int,
    shares: Sequence[float],
) -> None:
    r"""Checks the arguments of data sets of one's own recordings."""
    check_window(num_observed, num_future, stride)
    if split is not None:
        check_choices(SPLITS, split=split)
    check_choices(get_args(Samples), samples=samples)
    if samples == "clips" and stride != 1:
        raise ValueError(
            f"Expected 'stride' 1 with samples='clips', which are stretched, "
            f"got {stride}"
        )
    if (
        len(shares) != len(SPLITS)
        or not all(0 <= share < np.inf for share in shares)
        or not shares[0]
    ):
        raise ValueError(
            f"Expected 'shares' of {', '.join(SPLITS)}, the first positive and "
            f"none negative, got {shares}"
        )


def deal(
    recordings: Mapping[str, str],
    shares: Sequence[float],
    seed: int,
    *,
    splits: Sequence[str] = SPLITS,
    what: str = "recordings",
) -> dict[str, str]:
    r"""Assigns recordings to splits at random, class by class, so that each
    split gets its share of every class.

    Args:
        recordings: The class of each recording, by name.
        shares: The shares of :obj:`"train"`, :obj:`"val"` and :obj:`"test"`.
            A split other than :obj:`"train"` gets its share of each class,
            rounded, but at least one recording if its share is positive;
            :obj:`"train"` gets the rest.
        seed: The seed.
        splits: The splits to deal to, :obj:`"train"` first.
            (default: all three)
        what: What is dealt, for error messages.
            (default: :obj:`"recordings"`)

    Returns:
        The split of each recording.

    Raises:
        DataError: If classes have too few recordings; the message names them.
    """
    share = dict(zip(SPLITS, shares, strict=True))
    total = sum(share[split] for split in splits)
    by_class: dict[str, list[str]] = {}
    for name in sorted(recordings):
        by_class.setdefault(recordings[name], []).append(name)
    dealt: dict[str, str] = {}
    short: list[str] = []
    for label, names in by_class.items():
        # A generator per class: adding a class does not change the others.
        random = np.random.default_rng([seed, *label.encode()])
        waiting = [names[i] for i in random.permutation(len(names))]
        for split in splits[1:]:
            count = round(len(names) * share[split] / total)
            count = max(count, 1) if share[split] else 0
            taken, waiting = waiting[:count], waiting[count:]
            dealt |= dict.fromkeys(taken, split)
        if not waiting:
            short.append(f"{label!r} ({len(names)})")
        dealt |= dict.fromkeys(waiting, "train")
    if short:
        where = (
            f" in the {'class' if len(short) == 1 else 'classes'} "
            f"{', '.join(short[:20])}"
            if what == "recordings"
            else f": there are {len(recordings)}"
        )
        raise DataError(
            f"Too few {what} to fill {', '.join(splits)}{where}; record "
            f"more, or pass 'shares' that are 0 for some splits"
        )
    return dealt
