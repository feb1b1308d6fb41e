"""Valid documents of each format, from which `benchmarks.fuzz` starts."""

import io
import json
import pickle
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from symgnn_pyg import Skeleton
from symgnn_pyg.data import MotionSequence, SequenceStore


def numbers(*shape: int) -> np.ndarray:
    values = np.random.default_rng(sum(shape)).standard_normal(shape)
    return values.round(3)


def table(rows: int, columns: int) -> bytes:
    lines = [",".join(map(str, row)) for row in numbers(rows, columns)]
    return "\n".join([*lines, ""]).encode()


def skeleton_text(bodies: Sequence[Sequence[str]]) -> bytes:
    """A recording of NTU-RGB+D, from the names of each frame's bodies."""
    lines = [str(len(bodies))]
    for frame in bodies:
        lines.append(str(len(frame)))
        for name in frame:
            lines += [f"{name} 0 1 1 1 1 0 0.01 -0.25 2", "25"]
            lines += [
                f"{x} {y} {z} 277.4 191.8 1036.2 519.1 -0.2 0.05 0.97 -0.1 2"
                for x, y, z in numbers(25, 3)
            ]
    return "\n".join([*lines, ""]).encode()


def skeleton_json(bodies: Sequence[int]) -> bytes:
    """A recording of Kinetics-Skeleton, from each frame's number of them."""
    entries = [
        {
            "frame_index": index,
            "skeleton": [
                {
                    "pose": (abs(numbers(k + 1, 36)[k]) / 4).tolist(),
                    "score": abs(numbers(k + 1, 18)[k]).tolist(),
                }
                for k in range(count)
            ],
        }
        for index, count in enumerate(bodies, start=1)
    ]
    clip = {"data": entries, "label": "abseiling", "label_index": 0}
    return json.dumps(clip).encode()


def store() -> bytes:
    """Two sequences, one of one body and one of two."""
    arm = Skeleton(["a", "b", "c"], [(1, 0), (2, 1)])
    sequences = [
        MotionSequence("one", numbers(5, 3, 2), 0, "one.txt"),
        MotionSequence("two", numbers(2, 4, 3, 2), 1, "two.txt"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "store.h5")
        SequenceStore.write(path, sequences, arm, ["up", "down"])
        return path.read_bytes()


def annotations() -> bytes:
    clips = [
        {"frame_dir": f"clip {i}", "label": i, "keypoint": numbers(1, 2, 3, 3)}
        for i in range(2)
    ]
    splits = {"train": ["clip 0"], "val": ["clip 1"]}
    return pickle.dumps({"split": splits, "annotations": clips}, 4)


def openpose() -> bytes:
    people = [{"pose_keypoints_2d": abs(numbers(75)).tolist()}] * 2
    return json.dumps({"version": 1.3, "people": people}).encode()


def coco(names: Sequence[Any]) -> bytes:
    bodies = abs(numbers(len(names), 51)).tolist()
    entries = [
        {"image_id": image, "category_id": 1, "keypoints": body, "score": 0.9}
        for image, body in zip(names, bodies, strict=True)
    ]
    return json.dumps(entries).encode()


def mmpose() -> bytes:
    points = abs(numbers(2, 17, 2)).tolist()
    frames = [
        {
            "frame_id": i,
            "instances": [{"keypoints": body, "keypoint_scores": [0.5] * 17}],
        }
        for i, body in enumerate(points)
    ]
    return json.dumps({"meta_info": {}, "instance_info": frames}).encode()


def landmarks(body: np.ndarray) -> list[dict[str, float]]:
    return [dict(zip("xyz", point, strict=True)) for point in body.tolist()]


def mediapipe() -> bytes:
    frames = [landmarks(body) for body in numbers(2, 21, 3)]
    return json.dumps([*frames, None]).encode()


def mediapipe_of_two() -> bytes:
    frames = [[*map(landmarks, frame)] for frame in numbers(2, 2, 21, 3)]
    return json.dumps([{"pose_landmarks": frame} for frame in frames]).encode()


def sleap_hdf5(axes: Sequence[int], score_axes: Sequence[int]) -> bytes:
    """Two tracks of two nodes in three frames, in an order of the axes."""
    file = io.BytesIO()
    with h5py.File(file, "w") as written:
        for name, values in (
            ("tracks", numbers(2, 2, 2, 3).transpose(axes)),
            ("point_scores", abs(numbers(2, 2, 3)).transpose(score_axes)),
        ):
            written.create_dataset(name, data=values, compression="gzip")
        written["node_names"] = np.array([b"nose", b"tail"])
        written["track_names"] = np.array([b"track_0", b"track_1"])
    return file.getvalue()


def saved(
    save: Callable[..., None], *arrays: np.ndarray, **named: np.ndarray | float
) -> bytes:
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


def archive(method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in ("S1/walking_1.txt", "data/S5/walking_2.txt"):
            # With a fixed date, unlike that of an entry given only by name.
            archive.writestr(zipfile.ZipInfo(name), table(2, 99), method)
    return file.getvalue()


BVH = b"""HIERARCHY
ROOT hips
{
  OFFSET 0 1 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT chest
  {
    OFFSET 0 0.4 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 0.3 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
0 1 0 10 20 30 40 50 60
0.1 1 0 11 21 31 41 51 61
"""
ASF = b""":units
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    name upper
    direction 1 0 0
    length 2
    axis 0 0 20 XYZ
    dof rx ry rz
    limits (-160 20) (-70 70) (-60 70)
  end
:hierarchy
  begin
    root upper
  end
"""
AMC = b""":FULLY-SPECIFIED
:DEGREES
1
root 1 2 3 10 20 30
upper 40 50 60
2
root 1 2 3 11 21 31
upper 41 51 61
"""
DEEPLABCUT = b"""scorer,net,net,net,net,net,net
individuals,a,a,a,b,b,b
bodyparts,nose,nose,nose,nose,nose,nose
coords,x,y,likelihood,x,y,likelihood
0,1,2,0.9,3,4,0.8
1,5,6,0.7,,,
"""
SLEAP = b"""track,frame_idx,instance.score,nose.x,nose.y,nose.score
track_0,0,0.9,1,2,0.9
track_1,0,0.9,20,30,0.5
track_0,2,0.9,5,6,
"""
CSV = b"a_x,a_y,b_x,b_y\n1,2,3,4\n5,6,7,8.5\n"
TIMED = b"time (s);a_x;a_y;b_x;b_y\n0:00;1;2;3;4\n0:01;5;6;7;8.5\n"
