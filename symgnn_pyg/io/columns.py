"""The columns of a table that hold the channels of joints, found by name."""

import re
from collections.abc import Sequence
from itertools import chain

from symgnn_pyg.errors import DataError, warn

# The names of Kinect v2 joints, as plain_name gives them, that "ntu25" calls by
# another name.
KINECT = {
    "spinebase": "baseofspine",
    "spinemid": "middleofspine",
    "spineshoulder": "spine",
    "lefthandtip": "leftfingertip",
    "righthandtip": "rightfingertip",
}
MOST_NAMES = 10
# The channels of positions and of rotations, which a unit may follow.
POSITION = re.compile(
    r"(p|pos|position|t|trans|translation|loc|location)?[ -]?[xyz]"
    r"([ -]?(pos|position))?(?![^\W_])"
)
ROTATION = re.compile(
    r"((q|quat|quaternion|rv|rot|rotvec|rotation|euler|angle|orientation|ori)"
    r"[ -]?([wxyz]|\d\d?)|r[ -]?([wxyz]|\d\d)|[wxyz][ -]?(rot|rotation|quat)"
    r"|rot|rotation|rotvec|quat|euler|angle|orientation|roll|pitch|yaw)"
    r"(?![^\W_])"
)


def named_columns(
    cells: Sequence[str],
    joints: Sequence[str],
    first: int,
    at: str,
    kind: str = "position",
) -> list[int]:
    r"""The indices of the joints' columns, joint by joint, found by name. Of
    columns of positions and rotations, rotations are left out.
    """
    # Case and punctuation matter only if joints differ in nothing else.
    names = {*map(plain_name, joints)} - {""}
    plain = plain_name if len(names) == len(joints) else str
    places: dict[str, dict[str, int]] = {plain(joint): {} for joint in joints}
    others = KINECT if "baseofspine" in places else {}

    def named(text: str) -> str:
        return others.get(plain(text), plain(text))

    has_bare_names = places.keys() <= {*map(named, cells)}
    for place, cell in enumerate(cells[first:], first):
        joint, channel = named(cell), ""
        if joint not in places or not has_bare_names:
            # Other marks may also stand within a channel, such as "x (m)".
            for marks in ("._", "._:/ -"):
                end = max(map(cell.rfind, marks))
                joint = named(cell[: max(end, 0)])
                channel = cell[end + 1 :].casefold()
                if joint in places:
                    break
        if channel in places.get(joint, ()):
            raise DataError(
                f"{at}: two columns are called {cell!r}; of several bodies, "
                f"keep the columns of one"
            )
        if joint in places:
            places[joint][channel] = place
    if not any(places.values()):
        raise DataError(
            f"{at}: expected names of columns such as "
            f"{joints[0]}_x, or none for channels in the order of the joints, "
            f"got {_listed(cells)}"
        )
    every = {*chain(*places.values())}
    turned = {*filter(ROTATION.match, every)}
    if kind != "position" or not any(map(POSITION.match, every - turned)):
        turned = set()
    for found in places.values():
        for channel in turned & found.keys():
            del found[channel]
    sets = [frozenset(found) for found in places.values()]
    # A joint that differs from most others is the one to name.
    channels = max(sets, key=lambda some: (bool(some), sets.count(some)))
    order = sorted(channels, key=_by_axis)
    for joint, found in zip(joints, places.values(), strict=True):
        if found.keys() != channels or not found:
            wanted = [f"{joint}_{c}" for c in order if c] or [joint]
            had = [cells[place] for place in found.values()]
            raise DataError(
                f"{at}: expected the columns {', '.join(wanted)} of "
                f"joint {joint!r}, as of the others, got "
                f"{', '.join(had) or 'none'}; the columns are {_listed(cells)}"
            )
    if turned:
        warn(
            f"Rotations beside positions are left out: the channels "
            f"{', '.join(sorted(turned))} of joints"
        )
    return [found[c] for found in places.values() for c in order]


def plain_name(text: str) -> str:
    r"""A name without case, blanks and marks, that begins with its side."""
    text = re.sub(r"[\W_]", "", text.casefold())
    return re.sub(r"^(.+)(left|right)$", r"\2\1", text)


def _listed(cells: Sequence[str]) -> str:
    shown = ", ".join(cells[:MOST_NAMES])
    rest = len(cells) - MOST_NAMES
    return f"{shown} and {rest} more" if rest > 0 else shown


def _by_axis(channel: str) -> tuple[bool, str, int, str]:
    r"""Sorts channels into the same order in all files: x, y and z, which a
    unit may follow, then others, numbers by their value."""
    axis = re.match(r"[xyz](?![^\W_])", channel)
    return axis is None, axis[0] if axis else "", len(channel), channel
