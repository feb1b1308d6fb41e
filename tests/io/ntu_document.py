"""Recordings in the form of NTU-RGB+D, made up."""

import numpy as np


def poses(length, seed=0, scale=1.0):
    """Positions as they are printed, of shape [T, 25, 3]."""
    random = np.random.default_rng(seed)
    return np.round(scale * random.standard_normal((length, 25, 3)), 5)


def document(frames):
    """The text of a recording; each frame is a dict from body to pose."""
    lines = [str(len(frames))]
    for frame in frames:
        lines.append(str(len(frame)))
        for name, pose in frame.items():
            lines += [f"{name} 0 1 1 1 1 0 0.01 -0.25 2", "25"]
            lines += [
                f"{x} {y} {z} 277.4 191.8 nan -inf -0.2 0.05 0.97 -0.1 2"
                for x, y, z in pose
            ]
    return "\r\n".join([*lines, ""])
