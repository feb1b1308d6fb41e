"""Recordings as samples for recognition: their options, splits and
transforms."""

import argparse
from typing import Any

import torch
from own_skeletons import SKELETON, write_motion
from shared import positive
from torch_geometric.transforms import BaseTransform, Compose

from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.datasets import MotionDataset, SkeletonFolder
from symgnn_pyg.transforms import (
    Center,
    Difference,
    JointDropout,
    Mirror,
    NormalizeView,
    Observe,
    PartDropout,
    RandomRotation,
    RandomScale,
    RandomShear,
    Standardize,
    ToBones,
    UniformSample,
)

# What a stream makes of the positions of joints.
STREAMS: dict[str, list[BaseTransform]] = {
    "joint": [],
    "bone": [ToBones()],
    "joint_velocity": [Difference()],
    "bone_velocity": [ToBones(), Difference()],
}


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    count, share = positive(int, 1), positive(float, 0, 1)
    data = parser.add_argument_group("data")
    data.add_argument("--data", help="a folder or zip archive of recordings")
    data.add_argument(
        "--skeleton",
        help="the name of a built-in skeleton (default: that of the files)",
    )
    data.add_argument(
        "--name-pattern",
        help="a regular expression with the groups 'label' and 'group'; see "
        "SkeletonFolder",
    )
    for split in ("val", "test"):
        data.add_argument(
            f"--{split}-groups", nargs="+", help=f"the groups in {split}"
        )
    data.add_argument("--frame-rate", type=positive(float))
    data.add_argument(
        "--view",
        nargs=4,
        metavar=("HIP", "SPINE", "RIGHT", "LEFT"),
        help="joints by which to turn bodies upright and to the front: the "
        "ends of the spine, the right and the left shoulder; the first of them "
        "in the first frame is the origin",
    )
    data.add_argument(
        "--in-place",
        action="store_true",
        help="move the origin with the body, which hides its path and speed",
    )
    data.add_argument(
        "--recorded",
        type=count,
        default=300,
        help="frames that recordings are stretched to before sampling",
    )
    data.add_argument("--frames", type=count, default=64, help="to sample")
    data.add_argument(
        "--mirror",
        action="store_true",
        help="mirror half of the samples, and average over mirror images at "
        "test time; not for classes that tell left from right",
    )
    data.add_argument("--joint-dropout", type=share, default=0.0)
    data.add_argument("--part-dropout", type=share, default=0.0)


def split_of(args: argparse.Namespace) -> dict[str, Any]:
    """How recordings are dealt to the splits, as arguments of the data set."""
    groups = {"val": args.val_groups, "test": args.test_groups}
    return {
        "name_pattern": args.name_pattern,
        "groups": {name: some for name, some in groups.items() if some} or None,
    }


def open_split(args: argparse.Namespace, split: str) -> SkeletonFolder:
    data, skeleton = args.data, args.skeleton
    if data is None:
        data, skeleton = args.output / "motion", SKELETON
        if split == "train":
            write_motion(data, args.seed)
    return SkeletonFolder(
        data,
        skeleton,
        split,
        num_observed=args.recorded,
        num_future=0,
        samples="clips",
        **split_of(args),
        frame_rate=args.frame_rate,
        path=args.output / "recordings.h5",
    )


def place(args: argparse.Namespace) -> list[BaseTransform]:
    """Moves the body to the origin and turns it to the front, by its first
    frame."""
    if not args.view:
        return [Center(per_frame=args.in_place)]
    hip, spine, right, left = args.view
    return [
        Center(hip, per_frame=args.in_place),
        NormalizeView(spine=(hip, spine), shoulders=(right, left)),
    ]


def size_of(train: MotionDataset, args: argparse.Namespace) -> Standardize:
    """Scales coordinates by the deviation of all of them."""
    train.transform = Compose([
        UniformSample(args.frames, random=False), *place(args)
    ])  # fmt: skip
    poses = torch.cat([batch.x for batch in SkeletonLoader(train, 64)])
    shape = train.skeleton.num_joints, poses.size(-1)
    deviation = float(poses.std())
    return Standardize(torch.zeros(shape), torch.full(shape, deviation))


def transform_of(
    args: argparse.Namespace,
    stream: str,
    size: Standardize,
    *,
    augment: bool = False,
    random: bool = False,
    mirror: float = 0.0,
    ratio: float = 1.0,
) -> Compose:
    """What turns the first part of a recording into a sample of a stream.
    Mirroring works on positions, and joints are dropped after all that moves
    them."""
    sides: list[BaseTransform] = [Mirror(p=mirror)] if mirror else []
    changes: list[BaseTransform] = []
    if augment:
        in_space = size.mean.size(-1) == 3
        changes = [
            *[RandomRotation(15)] * in_space,
            RandomScale((0.9, 1.1)),
            RandomShear(0.1),
        ]
        if args.part_dropout:
            changes.append(PartDropout(args.part_dropout))
        if args.joint_dropout:
            changes.append(JointDropout(args.joint_dropout))
    start: list[BaseTransform] = [Observe(ratio)] if ratio < 1 else []
    return Compose([
        *start,
        UniformSample(args.frames, random),
        *place(args),
        size,
        *sides,
        *changes,
        *STREAMS[stream],
    ])  # fmt: skip
