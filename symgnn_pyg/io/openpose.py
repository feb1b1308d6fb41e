import os
import re

import numpy as np

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.joint_tree import Motion
from symgnn_pyg.io.json import field, read_json, scored_joints
from symgnn_pyg.io.kinetics import link_motion
from symgnn_pyg.io.source import Source

NAME = re.compile(r"(.*?)_?([0-9]+)_keypoints\.json")
LAYOUTS = {25: "openpose25", 18: "kinetics18"}
# An hour at 30 frames per second.
MOST_FRAMES = 108_000


def read_openpose(path: str | os.PathLike[str], max_bodies: int = 1) -> Motion:
    r"""Reads the files that OpenPose writes of one video, one per frame:
    :obj:`NAME_000000000000_keypoints.json`.

    Bodies carry no identity: they are chosen and linked over time as in
    :func:`read_kinetics`.

    Args:
        path: The folder or zip archive with the files.
        max_bodies: The largest number of bodies to keep.
            (default: :obj:`1`)

    Returns:
        The bodies, of shape :math:`[M, T, V, 3]`: :math:`(x, y)` in pixels
        and the score, all 0 where a joint was not found (set those to NaN for
        :func:`fill_gaps`), and the skeleton :obj:`"openpose25"`, or
        :obj:`"kinetics18"` for the model of 18 joints.

    Raises:
        FileNotFoundError: If there is nothing at :obj:`path`.
        EmptyRecordingError: If no frame shows a body.
        DataError: If there are files of several videos or models, or one
            cannot be read; the message names the file and the person.
    """
    frames: dict[int, list[np.ndarray]] = {}
    with Source(path) as source:
        files = {name: NAME.fullmatch(name) for name in source}
        found = {name: match for name, match in files.items() if match}
        videos = sorted({match[1] for match in found.values()})
        if len(videos) != 1 or len(found) > MOST_FRAMES:
            raise DataError(
                f"{source.path}: expected at most {MOST_FRAMES} files "
                f"NAME_000000000000_keypoints.json of one video, got "
                f"{len(found)} files of {len(videos)} videos "
                f"{', '.join(videos[:5])}"
            )
        indices = {name: int(match[2]) for name, match in found.items()}
        first = min(indices.values())
        for name, index in indices.items():
            if index - first >= MOST_FRAMES:
                raise DataError(
                    f"{source.where(name)}: frame {index} is more than "
                    f"{MOST_FRAMES} after the first, {first}"
                )
            document, at = read_json(source.read(name), source.where(name))
            frames[index - first] = _bodies(document, at)
    return link_motion(
        frames,
        max_bodies,
        str(source.path),
        LAYOUTS,
        "bodies of 25 or 18 joints",
    )


def _bodies(document: object, at: str) -> list[np.ndarray]:
    bodies = []
    for i, person in enumerate(field(document, "people", list, at)):
        place = f"{at}, people[{i}]"
        bodies.append(scored_joints(person, "pose_keypoints_2d", place))
    # Those of no joint have only a face or a hand.
    return [body for body in bodies if len(body)]
