import io

import numpy as np
import torch

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.ops import interpolate_frames
from symgnn_pyg.skeleton import Skeleton

BODY_FIELDS, JOINT_FIELDS = 10, 12
LARGEST = float(np.finfo(np.float32).max)
# Many times what a clip has: a line without a body becomes a whole pose.
MOST_FRAMES = 1000


def parse(content: bytes, where: str, max_bodies: int = 2) -> np.ndarray:
    r"""The bodies of a file, of shape :math:`[B, T, 25, 3]`, in metres.

    Args:
        content: The content of the file.
        where: Its name, for messages.
        max_bodies: The number of bodies to keep, at most.
            (default: :obj:`2`)

    Raises:
        EmptyRecordingError: If no frame shows a body.
        DataError: If it is no recording of bodies with 25 joints.
    """
    lines = _Lines(content, where)
    num_frames = lines.count("frames")
    if num_frames > MOST_FRAMES:
        raise lines.fault(f"{num_frames} frames, more than {MOST_FRAMES}")
    bodies: dict[bytes, tuple[list[int], list[np.ndarray]]] = {}
    for frame in range(num_frames):
        for _ in range(lines.count("bodies")):
            name = lines.fields(BODY_FIELDS, "a body")[0]
            frames, poses = bodies.setdefault(name, ([], []))
            if frames and frames[-1] == frame:
                raise lines.fault(
                    f"body {name.decode(errors='replace')!r} occurs twice in "
                    f"frame {frame + 1}"
                )
            frames.append(frame)
            poses.append(lines.pose())
    lines.end()
    if not bodies:
        raise EmptyRecordingError(f"{where} shows no body")
    tracks = [(at, np.stack(poses)) for at, poses in bodies.values()]
    tracks.sort(key=lambda track: _spread(track[1]), reverse=True)
    return np.stack(
        [_fill(at, poses, num_frames) for at, poses in tracks[:max_bodies]]
    )


class _Lines:
    """The lines of a file, one after the other, with their numbers."""

    def __init__(self, content: bytes, where: str) -> None:
        self._lines = iter(io.BytesIO(content))
        self._where = where
        self._number = 0

    def fault(self, text: str) -> DataError:
        return DataError(f"{self._where}, line {self._number}: {text}")

    def fields(self, count: int, what: str) -> list[bytes]:
        self._number += 1
        line = next(self._lines, None)
        if line is None:
            raise self.fault(f"the file ends where {what} is due")
        # One more than is due tells that there are too many.
        fields = line.split(None, count)
        if len(fields) != count:
            raise self.fault(f"expected {what}, in {count} fields")
        return fields

    def count(self, what: str) -> int:
        text = self.fields(1, f"a number of {what}")[0]
        if not text.isdigit() or len(text) > 9:
            raise self.fault(
                f"{text[:20].decode(errors='replace')!r} is no number of {what}"
            )
        return int(text)

    def pose(self) -> np.ndarray:
        count = self.count("joints")
        if count != Skeleton.get("ntu25").num_joints:
            raise self.fault(
                f"{count} joints, expected {Skeleton.get('ntu25').num_joints}"
            )
        return np.array([self.position() for _ in range(count)])

    def position(self) -> list[float]:
        fields = self.fields(JOINT_FIELDS, "a joint")[:3]
        try:
            position = list(map(float, fields))
        except ValueError:
            position = [np.nan]
        if not all(abs(x) <= LARGEST for x in position):
            text = b" ".join(fields)[:60].decode(errors="replace")
            raise self.fault(f"{text!r} is no position")
        return position

    def end(self) -> None:
        for line in self._lines:
            self._number += 1
            if line.strip():
                raise self.fault("the file goes on after its last frame")


def _spread(poses: np.ndarray) -> float:
    return float(poses.std(axis=(0, 1)).sum())


def _fill(seen: list[int], poses: np.ndarray, length: int) -> np.ndarray:
    times = np.interp(np.arange(length), seen, np.arange(len(seen)))
    motion = torch.from_numpy(poses).flatten(1)
    filled = interpolate_frames(motion, torch.from_numpy(times))
    return filled.unflatten(1, poses.shape[1:]).numpy()
