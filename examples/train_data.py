"""The data sets of the examples, and how train.py normalises them."""

from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import ConcatDataset
from torch_geometric.transforms import Compose

from symgnn_pyg.datasets import (
    NTURGBD,
    CMUMocap,
    Human36M,
    KineticsSkeleton,
    MotionDataset,
    SyntheticMotion,
)
from symgnn_pyg.errors import DataError
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.transforms import (
    Center,
    Mirror,
    NormalizeView,
    Reverse,
    ToBones,
    steps_of,
)

# How to open each data set.
DATASETS: dict[str, Any] = {
    "cmu": partial(CMUMocap, allow_missing=True),
    "h36m": partial(Human36M, allow_missing=True),
    "ntu": partial(NTURGBD, skip_faulty=True),
    "ntu120": partial(NTURGBD, num_classes=120, skip_faulty=True),
    "kinetics": partial(KineticsSkeleton, allow_missing=True, skip_faulty=True),
}
# The usual normalisation of the positions of NTU-RGB+D.
UPRIGHT = [Center(1), NormalizeView(spine=(0, 1), shoulders=(8, 4))]


def open_splits(
    args: Namespace, seed: int, start: PoseModel | None
) -> tuple[MotionDataset, MotionDataset]:
    """The training windows, augmented as asked for, and validation windows,
    both transformed as the model requires that training starts from."""
    train, val = (
        open_split(
            args.data,
            split,
            args.output,
            args.dataset,
            seed=seed,
            num_observed=args.observed,
            num_future=args.future,
            **({"exclude": args.exclude} if args.exclude else {}),
        )
        for split in ("train", "val")
    )
    kind: Any = train.kind
    transforms: list[Any] = []
    if start is not None:
        trained = start.about.get("kind", kind)
        if (trained, start.skeleton) != (kind, train.store.skeleton):
            raise DataError(
                f"{args.weights} was trained on {trained}s of "
                f"{start.skeleton!r}, but --data holds {kind}s of "
                f"{train.store.skeleton!r}"
            )
        transforms = steps_of(start.transform)
    elif kind == "rotation":
        transforms.append(train.standardize())
    elif args.dataset.startswith("ntu"):
        transforms += UPRIGHT
    if args.bones:
        transforms.append(ToBones())
    augmentations: list[Any] = []
    if args.mirror:
        augmentations.append(Mirror(kind=kind))
    if args.reverse:
        augmentations.append(Reverse())
    val.transform = Compose(transforms)
    train.transform = Compose([*augmentations, *transforms])
    return train, val


def joined(train: MotionDataset, val: MotionDataset) -> ConcatDataset[Any]:
    """The windows of both splits, augmented as those for training."""
    more = val[:]
    more.transform = train.transform
    return ConcatDataset([train, more])


def all_labels(
    args: Namespace, train: MotionDataset, val: MotionDataset
) -> Tensor:
    """The labels of all windows that are trained on."""
    return torch.cat([train.labels, val.labels]) if args.refit else train.labels


def class_weights(labels: Tensor, num_classes: int) -> Tensor:
    """Weights by which all classes that have labels count equally."""
    count = labels[labels >= 0].bincount(minlength=num_classes).float()
    present = count > 0
    return (count.sum() / present.sum() / count).where(present, 0.0)


def open_split(
    data: str,
    split: str,
    folder: Path,
    dataset: str = "cmu",
    seed: int = 0,
    **options: Any,
) -> MotionDataset:
    """Opens a split of 'synthetic' motion, or of a folder or zip archive of a
    data set, which is parsed once, into a file in the folder."""
    if data == "synthetic":
        return SyntheticMotion(folder, split, seed=seed, **options)
    path = folder / f"{dataset}.h5"
    opened: MotionDataset = DATASETS[dataset](data, split, path=path, **options)
    return opened
