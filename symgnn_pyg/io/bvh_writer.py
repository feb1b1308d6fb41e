import math
import os
import re
from collections.abc import Iterator

import numpy as np
import roma
import torch
from torch import Tensor

from symgnn_pyg.errors import warn
from symgnn_pyg.files import replacing
from symgnn_pyg.io.bvh import read_bvh_header
from symgnn_pyg.io.frames import same_rate
from symgnn_pyg.io.joint_tree import TreeJoint
from symgnn_pyg.io.limits import File, read_text

# Degrees that channels may fail to hold. Predicted rotations of a hinge are a
# little off its axis; positions, taken for rotations, are far off.
NEGLIGIBLE, LARGEST_LOSS = 0.01, 30.0


def write_bvh(
    path: str | os.PathLike[str],
    rotation: np.ndarray | Tensor,
    like: File,
    translation: np.ndarray | Tensor | None = None,
    frame_rate: float | None = None,
) -> None:
    r"""Writes rotations as a BVH file with the hierarchy, offsets, channels and
    frame time of another one: the inverse of :func:`read_bvh_rotations`.

    Angles are the principal ones, in degrees with six decimals, in the order
    of each joint's channels.

    Args:
        path: The file to write.
        rotation: The rotation vector (exponential map) of each joint relative
            to its parent, in radians, of shape :math:`[T, V, 3]`. Positions do
            not determine rotations and cannot be written.
        like: The path or the content of a BVH file with these :math:`V`
            joints, end sites included, in this order.
        translation: The position of each joint relative to its parent, of
            shape :math:`[T, V, 3]`, or :math:`[V, 3]` if it stays the same;
            only joints with position channels have it written.
            (default: the offsets)
        frame_rate: The frames per second. (default: that of :obj:`like`)

    Raises:
        DataError: If :obj:`like` is not a BVH file.
        ValueError: If :obj:`frame_rate` is not positive, or :obj:`rotation`
            has another shape or no frames, is not finite, or turns a joint far
            about an axis that its channels do not have, as positions do.
    """
    content, name = read_text(like)
    header = read_bvh_header(content, name)
    shape = (len(header.joints), 3)
    rotation = torch.as_tensor(rotation, dtype=torch.double)
    if rotation.ndim != 3 or rotation.shape[1:] != shape or not len(rotation):
        raise ValueError(
            f"Expected 'rotation' of shape [T, {shape[0]}, 3], for the joints "
            f"of {name}, with at least one frame, got {list(rotation.shape)}"
        )
    if frame_rate is not None and not 0 < frame_rate < math.inf:
        raise ValueError(f"'frame_rate' must be positive, got {frame_rate}")
    if translation is None:
        translation = np.array([joint.offset for joint in header.joints])
    translation = torch.as_tensor(translation, dtype=torch.double)
    if translation.shape not in (shape, rotation.shape):
        raise ValueError(
            f"Expected 'translation' of shape {list(rotation.shape)} or "
            f"{list(shape)}, got {list(translation.shape)}"
        )
    if not (rotation.isfinite().all() and translation.isfinite().all()):
        raise ValueError(
            "Expected finite rotations and translations: fill gaps first"
        )
    translation = translation.expand(rotation.shape)
    matrix = roma.rotvec_to_rotmat(rotation)
    columns = []
    for i, joint in enumerate(header.joints):
        angles = _angles(joint, matrix[:, i], name)
        columns += [
            translation[:, i, "xyz".index(channel[1])]
            if channel[0] == "t"
            else next(angles)
            for channel in joint.channels
        ]
    table = torch.stack(columns, dim=1).numpy().round(6) + 0.0  # No -0.
    head, brace, tail = content[: header.num_bytes].rpartition(b"}")
    tail = re.sub(rb"(?i)(frames\s*:\s*)\S+", rb"\g<1>%d" % len(table), tail)
    if frame_rate and not same_rate(frame_rate, header.frame_rate):
        time = repr(1.0 / frame_rate).encode()
        tail = re.sub(rb"(?i)(time\s*:\s*)\S+", rb"\g<1>" + time, tail)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(head + brace + tail.rstrip() + b"\n")
        np.savetxt(file, table, fmt="%.6f")


def _angles(joint: TreeJoint, matrix: Tensor, name: str) -> Iterator[Tensor]:
    r"""The angles of a joint's rotation channels in degrees, in their order."""
    axes = "".join(c[1] for c in joint.channels if c[0] == "r").upper()
    others = "".join(axis for axis in "XYZ" if axis not in axes)
    whole = (axes + others)[: max(3, len(axes))]
    if len(whole) != 3 or whole[0] == whole[1] or whole[1] == whole[2]:
        raise ValueError(
            f"{name}: the rotation channels {axes} of {joint.name!r} are not "
            f"Euler angles, so they cannot be written: pass a file with three "
            f"rotation channels as 'like'"
        )
    angles = roma.rotmat_to_euler(whole, matrix, degrees=True)
    if len(axes) == 2:
        # The same rotations with the third angle, which is dropped, near 0.
        half = torch.full_like(angles[:, :2], 180.0).copysign(angles[:, :2])
        other = torch.stack(
            [angles[:, 0] - half[:, 0], half[:, 1] - angles[:, 1]], dim=1
        )
        is_far = angles[:, 2:].abs() > 90
        angles[:, :2] = torch.where(is_far, other, angles[:, :2])
    angles[:, len(axes) :] = 0.0
    held = roma.euler_to_rotmat(whole, list(angles.unbind(-1)), degrees=True)
    lost = roma.rotmat_geodesic_distance(held, matrix).rad2deg().max().item()
    if lost > LARGEST_LOSS:
        raise ValueError(
            f"{joint.name!r} turns by {lost:.0f} degrees about axes for which "
            f"{name} has no channels. Positions do not determine rotations: "
            f"if 'rotation' holds positions, read recordings with "
            f"read_bvh_rotations instead, and train on those"
        )
    if lost > NEGLIGIBLE and axes:
        warn(
            f"{joint.name!r} turns by up to {lost:.3g} degrees about axes for "
            f"which {name} has no channels; these turns are left out"
        )
    return iter(angles.unbind(-1))
