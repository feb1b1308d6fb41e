"""The files of a folder: which of them are recordings, and the class and the
split of each.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from symgnn_pyg.datasets.sampling import deal
from symgnn_pyg.datasets.windows import SPLITS
from symgnn_pyg.errors import DataError, warn
from symgnn_pyg.io import SUFFIXES, Source

NOTES = ("README", "LICENSE", "LICENCE")
# Common names of the folders of splits, in lower case.
SPLIT_NAMES = {
    "train": "train", "training": "train", "val": "val", "valid": "val",
    "validation": "val", "test": "test", "testing": "test",
}  # fmt: skip


class Files(NamedTuple):
    r"""The files of a folder.

    Args:
        classes: The class of each recording.
        groups: The group of each recording, if there are groups.
        bodies: The :obj:`.asf` files.
        unknown: Files of an unknown kind, and why they are not read.
    """

    classes: dict[str, str]
    groups: dict[str, str]
    bodies: list[str]
    unknown: dict[str, str]


def compile_name_pattern(
    name_pattern: str | None, groups: Mapping[str, Sequence[str]] | None
) -> re.Pattern[str] | None:
    r"""The compiled pattern, checked together with the groups."""
    pattern = None
    if name_pattern is not None:
        try:
            pattern = re.compile(name_pattern)
        except re.error as e:
            raise ValueError(
                f"'name_pattern' {name_pattern!r} is not a regular "
                f"expression: {e}"
            ) from e
        named = pattern.groupindex.keys()
        if not named or not named <= {"label", "group"}:
            raise ValueError(
                f"Expected 'name_pattern' with '(?P<label>...)', "
                f"'(?P<group>...)' or both, got {name_pattern!r}"
            )
    if groups is not None:
        if pattern is None or "group" not in pattern.groupindex:
            raise ValueError(
                "'groups' requires a 'name_pattern' with '(?P<group>...)'"
            )
        if not groups.keys() <= set(SPLITS[1:]):
            raise ValueError(
                f"Expected 'groups' of {' and '.join(SPLITS[1:])}, got "
                f"{', '.join(map(str, groups))}; {SPLITS[0]} gets the others"
            )
        for split, some in groups.items():
            if isinstance(some, str):
                raise TypeError(
                    f"Expected 'groups' with a list for {split}, got "
                    f"{some!r}; pass [{some!r}]"
                )
    return pattern


def find_files(source: Source, pattern: re.Pattern[str] | None) -> Files:
    r"""Finds the recordings of a folder, and the class of each.

    Raises:
        DataError: If there are none, or some are in the wrong place or have
            other names.
    """
    recordings: list[str] = []
    bodies: list[str] = []
    unknown: dict[str, str] = {}
    for file in source:
        path = PurePosixPath(file)
        hidden = any(part.startswith(".") for part in path.parts)
        if hidden or path.stem.upper() in NOTES:
            continue
        if path.suffix.lower() == ".asf":
            bodies.append(file)
        elif path.suffix.lower() in SUFFIXES:
            recordings.append(file)
        else:
            unknown[file] = (
                "a link to a folder, which is not followed"
                if Path(source.where(file)).is_dir()
                else f"not one of {', '.join(SUFFIXES)}"
            )
    if not recordings:
        raise DataError(
            f"{source.path} holds no recordings: put files of "
            f"{', '.join(SUFFIXES)} into one folder for each class"
            + "".join(f"; {f} is {why}" for f, why in [*unknown.items()][:1])
        )
    named = _parse_names(source, recordings, pattern)
    _check_places(source, recordings, in_classes="label" not in named)
    if not any(map(is_amc, recordings)):
        unknown.update(dict.fromkeys(bodies, "there are no .amc files"))
    if unknown:
        warn(
            f"{source.path}: {len(unknown)} files were not read, see "
            f"'skipped'; the first: {', '.join([*unknown][:3])}"
        )
    folders = {file: PurePosixPath(file).parent.name for file in recordings}
    classes = named.get("label", folders)
    return Files(classes, named.get("group", {}), bodies, unknown)


def _parse_names(
    source: Source, recordings: Sequence[str], pattern: re.Pattern[str] | None
) -> dict[str, dict[str, str]]:
    """What each named group of the pattern matches in each recording."""
    if pattern is None:
        return {}
    found = {
        file: pattern.search(str(PurePosixPath(file).with_suffix("")))
        for file in recordings
    }
    other = [
        source.where(file)
        for file, match in found.items()
        if match is None or not all(match.groupdict().values())
    ]
    if other:
        raise DataError(
            f"{len(other)} of {len(recordings)} recordings do not match "
            f"name_pattern={pattern.pattern!r}: {', '.join(other[:100])}"
            + f" and {len(other) - 100} more"
            * (len(other) > 100)
        )
    return {
        key: {file: match[key] for file, match in found.items() if match}
        for key in pattern.groupindex
    }


def is_amc(file: str) -> bool:
    return file.lower().endswith(".amc")


def _check_places(
    source: Source, recordings: Sequence[str], *, in_classes: bool
) -> None:
    places = [PurePosixPath(file).parts for file in recordings]
    tops = {parts[0] for parts in places}
    has_splits = not tops.isdisjoint(SPLITS)
    # Many archives have one folder around those of the classes.
    enclosed = len(tops) == 1 and min(map(len, places)) == 3
    depth = 3 if has_splits or enclosed else 2
    wrong = [
        source.where(file)
        for file, parts in zip(recordings, places, strict=True)
        if (in_classes and len(parts) != depth)
        or (has_splits and parts[0] not in SPLITS)
    ]
    if wrong:
        renamed = [
            f"rename the folder {top} to {SPLIT_NAMES[top.lower()]}"
            for top in sorted(tops - set(SPLITS))
            if top.lower() in SPLIT_NAMES
        ]
        above = f"{'|'.join(SPLITS)}/" * (has_splits or bool(renamed))
        below = "CLASS/" * in_classes
        hints = [f"expected {above}{below}RECORDING", *renamed]
        if in_classes and not has_splits:
            hints.append("or pass a 'name_pattern' if names tell the class")
        raise DataError(
            f"{len(wrong)} files are in the wrong place: "
            f"{', '.join(wrong[:10])}; {', '.join(hints)}"
        )


def split_files(
    source: Source,
    files: Files,
    shares: Sequence[float],
    seed: int,
    groups: Mapping[str, Sequence[str]] | None,
) -> dict[str, str]:
    r"""The split of each recording.

    Raises:
        DataError: If there are too few recordings or groups, or no such group.
    """
    tops = {file: file.partition("/")[0] for file in files.classes}
    in_folder = {file: top for file, top in tops.items() if top in SPLITS}
    present = set(in_folder.values())
    if present and "train" not in present:
        raise DataError(
            f"{source.path} has folders {', '.join(sorted(present))}, but no "
            f"recordings in train"
        )
    if present and groups is not None:
        raise DataError(
            f"{source.path} has folders {', '.join(sorted(present))}, which "
            f"are the splits; leave out 'groups'"
        )
    to_deal = [f for f in tops if in_folder.get(f, "train") == "train"]
    splits = ["train", *(s for s in SPLITS[1:] if s not in present)]
    if not files.groups:
        classes = {file: files.classes[file] for file in to_deal}
        return {**in_folder, **deal(classes, shares, seed, splits=splits)}
    found = sorted({files.groups[file] for file in to_deal})
    split_of = _given(source, groups or {}, found)
    splits = [s for s in splits if s not in (groups or {})]
    others = dict.fromkeys([g for g in found if g not in split_of], "")
    split_of |= deal(others, shares, seed, splits=splits, what="groups")
    dealt = {file: split_of[files.groups[file]] for file in to_deal}
    return {**in_folder, **dealt}


def _given(
    source: Source, groups: Mapping[str, Sequence[str]], found: Sequence[str]
) -> dict[str, str]:
    """The split of each group that is given."""
    split_of: dict[str, str] = {}
    for split, some in groups.items():
        for group in map(str, some):
            if group not in found:
                raise DataError(
                    f"{source.path} has no group {group!r}, which 'groups' "
                    f"lists for {split}; it has {', '.join(found[:50])}"
                )
            if split_of.setdefault(group, split) != split:
                raise ValueError(
                    f"'groups' lists {group!r} for {split_of[group]} and "
                    f"{split}; expected one split per group"
                )
    return split_of
