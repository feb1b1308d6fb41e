"""List the built-in skeletons, or the joints of one.

Examples:
  symgnn-pyg layouts
  symgnn-pyg layouts coco17
  symgnn-pyg layouts coco17 --json > skeleton.json
"""

import argparse
import json

from symgnn_pyg.cli.tables import print_table
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.skeleton.layouts import LAYOUTS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name",
        nargs="?",
        help="the layout to describe; case, spaces and punctuation do not "
        "matter (default: all of them, in a table)",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the layout as JSON, a file for --skeleton to start from",
    )


def run(args: argparse.Namespace) -> None:
    if args.name is not None:
        skeleton = Skeleton.get(args.name)
        if args.json:
            print(json.dumps(skeleton.to_dict()))
        else:
            describe(skeleton)
        return
    if args.json:
        args.parser.error("--json requires the name of a layout")
    print_table(
        ["layout", "joints", "bones", "parts", "left-right pairs"],
        [
            [s.name, s.num_joints, s.num_bones, s.num_parts, len(s.pairs)]
            for s in map(Skeleton.get, LAYOUTS)
        ],
    )


def describe(skeleton: Skeleton) -> None:
    r"""Prints the joints of a skeleton, with parent, part and counterpart."""
    parent = dict(skeleton.bones)
    other = {a: b for pair in skeleton.pairs for a, b in (pair, pair[::-1])}
    parts = skeleton.joint_to_part.tolist()
    names = dict(enumerate(skeleton.joints))
    print(
        f"{skeleton.name}: {skeleton.num_joints} joints, "
        f"{skeleton.num_bones} bones, {skeleton.num_parts} parts, "
        f"{len(skeleton.pairs)} left-right pairs\n"
    )
    rows = []
    for j, joint in names.items():
        above = names.get(parent.get(j, -1), "-")
        beside = names.get(other.get(j, -1), "-")
        rows.append([j, joint, above, skeleton.part_names[parts[j]], beside])
    print_table(["", "joint", "parent", "part", "other side"], rows)
    if skeleton.links:
        links = (f"{names[a]} - {names[b]}" for a, b in skeleton.links)
        print(f"\nlinks: {', '.join(links)}")
