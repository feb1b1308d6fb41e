"""Sequences that tests store."""

import numpy as np

from symgnn_pyg import Skeleton
from symgnn_pyg.data import MotionSequence

SKELETON = Skeleton.get("cmu26")
CLASSES = ["walk", "run"]


LENGTHS = (7, 1, 70)


def sequence(length, label=0, name=None):
    random = np.random.default_rng(length)
    frames = random.standard_normal((length, 26, 3)).astype(np.float32)
    name = name or f"s{length}"
    return MotionSequence(name, frames, label, f"{name}.txt", f"sum{length}")
