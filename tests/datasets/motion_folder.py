"""Folders of recordings that tests write."""

import numpy as np

from symgnn_pyg import Skeleton
from symgnn_pyg.datasets.skeleton_folder import SkeletonFolder

ARM = Skeleton.from_bones([("elbow", "shoulder"), ("hand", "elbow")])
SHORT = {"num_observed": 3, "num_future": 2}


BVH = """HIERARCHY
ROOT shoulder
{{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT elbow
  {{
    OFFSET {length} 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {{
      OFFSET {length} 0 0
    }}
  }}
}}
MOTION
Frames: {count}
Frame Time: {time}
"""
ASF = """:units
angle deg
:root
order TX TY TZ RX RY RZ
:bonedata
begin
name upper
direction 1 0 0
length 2
dof rz
end
:hierarchy
root upper
"""
NAMES = "(?P<label>[a-z]+)_(?P<group>[a-z]+)_[0-9]+$"


def poses(length, seed=0, shape=(3, 3)):
    random = np.random.default_rng(seed)
    return random.standard_normal((length, *shape)).astype(np.float32)


def bvh(count=8, length=1.0, time=0.04, step=1):
    head = BVH.format(count=count, length=length, time=time)
    rows = (f"{i * step} 0 0 90 0 0 0 0 0\n" for i in range(count))
    return head + "".join(rows)


def amc(count=8):
    frames = [f"{i}\nroot {i} 0 0 0 0 0\nupper 90\n" for i in range(count)]
    return ":DEGREES\n" + "".join(frames)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, np.ndarray):
        np.save(path, content)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content)


def open_all(root, split="train", skeleton=ARM, **arguments):
    return SkeletonFolder(root, skeleton, split, **{**SHORT, **arguments})


def names(dataset):
    return {dataset.store.names[i] for i in dataset.windows.sequence}
