import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io.joint_tree import Motion
from symgnn_pyg.io.json import field, read_json, scored_joints
from symgnn_pyg.io.kinetics import link_motion
from symgnn_pyg.io.limits import MOST_BYTES, File

LAYOUTS = {
    17: "coco17", 18: "kinetics18", 25: "openpose25", 133: "coco_wholebody133",
}  # fmt: skip
# The last number in the name of an image, apart from its suffix.
NAME = re.compile(r"(.*?)([0-9]{1,18})([^0-9/.]*(?:\.(?!\d)\w*)?)", re.DOTALL)
# The most frames per frame with a body, and beyond those: each takes memory.
MOST_FRAMES, MOST_UNLISTED = 10, 1000


def read_coco(file: File, name: str = "", max_bodies: int = 1) -> Motion:
    r"""Reads key points of a video in COCO's format of results, a JSON list
    with one :obj:`{"image_id": ..., "keypoints": [x, y, score, ...]}` per body
    and image, as Detectron2, MMPose, ViTPose and AlphaPose write it; the
    :obj:`instances` of each :obj:`frame_id`, in 2-D, that the demos and the
    inferencer of MMPose 1 write; or the formats :obj:`open` and :obj:`cmu` of
    AlphaPose, an object with the bodies of each image.

    Images are frames in the order of their number: the :obj:`image_id` (or
    :obj:`frame_id`) or, if that is a name such as :obj:`"clip_12.jpg"`, the
    last number in it. Bodies are chosen and linked over time as in
    :func:`read_kinetics`.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)
        max_bodies: The largest number of bodies to keep.
            (default: :obj:`1`)

    Returns:
        The bodies, of shape :math:`[M, T, V, 3]`: :math:`(x, y)` in pixels
        and the score, all 0 where a joint was not found (set those to NaN for
        :func:`fill_gaps`); and the skeleton :obj:`"coco17"`,
        :obj:`"coco_wholebody133"`, :obj:`"openpose25"` or
        :obj:`"kinetics18"`, by the number of joints.

    Raises:
        EmptyRecordingError: If no frame shows a body.
        DataError: If it is not such a document, or its images are not the
            frames of one video; the message names the entry.
    """
    document, name = read_json(file, name, MOST_BYTES)
    found = [*_bodies(document, name)]
    if not found:
        raise EmptyRecordingError(f"{name} shows no body")
    videos = sorted({video for video, *_ in found})
    if len(videos) > 1:
        raise DataError(
            f"{name}: expected images of one video, which differ in a number, "
            f"got {', '.join(videos[:5])[:400]}; split the file by video"
        )
    first = min(index for _, index, *_ in found)
    listed = len({index for _, index, *_ in found})
    frames: dict[int, list[np.ndarray]] = {}
    for _, index, body, at in found:
        if index - first > MOST_FRAMES * listed + MOST_UNLISTED:
            raise DataError(
                f"{at}: image {index} is {index - first} after the first, but "
                f"only {listed} images show a body; split the recording, or "
                f"number the frames of one video"
            )
        frames.setdefault(index - first, []).append(body)
    return link_motion(
        frames,
        max_bodies,
        name,
        LAYOUTS,
        f"bodies of {', '.join(map(str, LAYOUTS))} joints",
        "; of Halpe's 26 or 136, keep the first 17, which are those of COCO",
    )


def _bodies(
    document: Any, name: str
) -> Iterator[tuple[str, int, np.ndarray, str]]:
    """For each body, the video, the image, the joints and the place."""
    for image, body, key, at in _entries(document, name):
        joints = scored_joints(_plain(body, at), key, at)
        match = NAME.fullmatch(image) if isinstance(image, str) else None
        if match is None and type(image) is not int:
            raise DataError(
                f"{at}: expected 'image_id' as a whole number, or as a name "
                f"with one, such as 'clip_12.jpg', or 'frame_id' beside "
                f"'instances', got {str(image)[:80]!r}"
            )
        index = image if match is None else int(match[2])
        if len(joints):
            video = f"{match[1]}*{match[3]}" if match else "*"
            yield video, index, joints, at


def _entries(document: Any, name: str) -> Iterator[tuple[Any, Any, str, str]]:
    """For each body, its image, its entry, the key of its joints and the
    place."""
    if isinstance(document, dict) and "instance_info" in document:
        document = field(document, "instance_info", list, name)
        name += ", instance_info"
    if isinstance(document, list):
        for i, entry in enumerate(document):
            at, given = f"{name}, [{i}]", entry if type(entry) is dict else {}
            if "instances" not in given:
                yield given.get("image_id"), entry, "keypoints", at
                continue
            for k, body in enumerate(field(entry, "instances", list, at)):
                place = f"{at}.instances[{k}]"
                yield given.get("frame_id"), body, "keypoints", place
    elif not isinstance(document, dict) or "annotations" in document:
        raise DataError(
            f"{name}: expected a list of results with 'image_id' and "
            f"'keypoints', not annotations"
        )
    else:
        for image, given in document.items():
            at = f"{name}, {image!r:.80}"
            is_open = isinstance(given, dict) and "people" in given
            people = "people" if is_open else "bodies"
            key = "pose_keypoints_2d" if is_open else "joints"
            for i, body in enumerate(field(given, people, list, at)):
                yield image, body, key, f"{at}, {people}[{i}]"


def _plain(body: Any, at: str) -> Any:
    """A body in COCO's format, whose scores MMPose lists apart."""
    if isinstance(body, dict) and isinstance(body.get("keypoints"), dict):
        raise DataError(
            f"{at}: 'keypoints' as Ultralytics writes them do not tell the "
            f"image; save json.dumps([{{'image_id': i, 'keypoints': "
            f"body.flatten().tolist()}} for i, result in enumerate(results) "
            f"for body in result.keypoints.data])"
        )
    if not isinstance(body, dict) or "keypoint_scores" not in body:
        return body
    points = field(body, "keypoints", list, at)
    scores = field(body, "keypoint_scores", list, at)
    sizes = {len(p) if isinstance(p, list) else 1 for p in points}
    if not sizes <= {2} or len(points) != len(scores):
        raise DataError(
            f"{at}: expected x and y of each joint in 'keypoints', and its "
            f"score in 'keypoint_scores'; save 3-D joints with numpy.save("
            f"'clip.npy', [frame['instances'][0]['keypoints'] for frame in "
            f"frames])"
        )
    pairs = zip(points, scores, strict=True)
    return {"keypoints": [n for point, score in pairs for n in (*point, score)]}
