import io

import numpy as np
import torch

from symgnn_pyg.errors import DataError, EmptyRecordingError, check_sizes
from symgnn_pyg.io.json import LARGEST
from symgnn_pyg.io.limits import File, read_text
from symgnn_pyg.ops import interpolate_frames

NUM_JOINTS = 25
BODY_FIELDS, JOINT_FIELDS = 10, 12
# Many times what a clip has: a one-line frame without a body takes as much
# memory as a pose.
MOST_FRAMES = 1000


def read_ntu(file: File, name: str = "", max_bodies: int = 2) -> np.ndarray:
    r"""Reads a ``.skeleton`` file of NTU-RGB+D.

    Of the bodies, the :obj:`max_bodies` whose positions spread most are kept
    (by the sum of the standard deviations of x, y and z over the frames in
    which a body is seen), widest first. In frames without one of them its
    pose is interpolated linearly, and held before its first and after its
    last appearance.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)
        max_bodies: The largest number of bodies to keep.
            (default: :obj:`2`)

    Returns:
        The bodies in metres, of shape :math:`[B, T, 25, 3]`.

    Raises:
        EmptyRecordingError: If no frame shows a body.
        DataError: If it is not a recording of bodies with 25 joints; the
            message names the line.
        ValueError: If :obj:`max_bodies` is smaller than 1.
    """
    check_sizes(1, max_bodies=max_bodies)
    content, name = read_text(file, name)
    lines = _Lines(content, name)
    num_frames = lines.count("frames")
    if num_frames > MOST_FRAMES:
        raise lines.fault(f"{num_frames} frames, more than {MOST_FRAMES}")
    bodies: dict[bytes, tuple[list[int], list[np.ndarray]]] = {}
    for frame in range(num_frames):
        for _ in range(lines.count("bodies")):
            body = lines.fields(BODY_FIELDS, "a body")[0]
            frames, poses = bodies.setdefault(body, ([], []))
            if frames and frames[-1] == frame:
                raise lines.fault(
                    f"body {body.decode(errors='replace')!r} occurs twice in "
                    f"frame {frame + 1}"
                )
            frames.append(frame)
            poses.append(lines.pose())
    lines.end()
    if not bodies:
        raise EmptyRecordingError(f"{name} shows no body")
    tracks = [(at, np.stack(poses)) for at, poses in bodies.values()]
    tracks.sort(key=lambda track: _spread(track[1]), reverse=True)
    return np.stack(
        [_fill(at, poses, num_frames) for at, poses in tracks[:max_bodies]]
    )


class _Lines:
    """The lines of a file, one after the other, with their numbers."""

    def __init__(self, content: bytes, name: str) -> None:
        self._lines = iter(io.BytesIO(content))
        self._name = name
        self._number = 0

    def fault(self, text: str) -> DataError:
        return DataError(f"{self._name}, line {self._number}: {text}")

    def fields(self, count: int, what: str) -> list[bytes]:
        self._number += 1
        line = next(self._lines, None)
        if line is None:
            raise self.fault(f"expected {what}, but the file ends")
        # Splitting off one more field shows whether there are too many.
        fields = line.split(None, count)
        if len(fields) != count:
            raise self.fault(f"expected {what} in {count} fields")
        return fields

    def count(self, what: str) -> int:
        text = self.fields(1, f"a number of {what}")[0]
        if not text.isdigit() or len(text) > 9:
            raise self.fault(
                f"expected a number of {what}, got "
                f"{text[:20].decode(errors='replace')!r}"
            )
        return int(text)

    def pose(self) -> np.ndarray:
        count = self.count("joints")
        if count != NUM_JOINTS:
            raise self.fault(f"{count} joints, expected {NUM_JOINTS}")
        return np.array([self.position() for _ in range(count)])

    def position(self) -> list[float]:
        fields = self.fields(JOINT_FIELDS, "a joint")[:3]
        try:
            position = list(map(float, fields))
        except ValueError:
            position = [np.nan]
        if not all(abs(x) <= LARGEST for x in position):
            text = b" ".join(fields)[:60].decode(errors="replace")
            raise self.fault(f"expected a position, got {text!r}")
        return position

    def end(self) -> None:
        for line in self._lines:
            self._number += 1
            if line.strip():
                raise self.fault("the file continues after its last frame")


def _spread(poses: np.ndarray) -> float:
    return float(poses.std(axis=(0, 1)).sum())


def _fill(seen: list[int], poses: np.ndarray, length: int) -> np.ndarray:
    times = np.interp(np.arange(length), seen, np.arange(len(seen)))
    motion = torch.from_numpy(poses).flatten(1)
    filled = interpolate_frames(motion, torch.from_numpy(times))
    return filled.unflatten(1, poses.shape[1:]).numpy()
