r"""Conversions of rotations in the conventions of motion prediction."""

from typing import Literal, get_args

import roma
import torch
from torch import Tensor

from symgnn_pyg.errors import check_choices

Form = Literal["exponential_map", "matrix", "quaternion", "euler"]
SHAPES = {
    "exponential_map": (3,),
    "matrix": (3, 3),
    "quaternion": (4,),
    "euler": (3,),
}


def convert_rotation(rotation: Tensor, source: Form, target: Form) -> Tensor:
    r"""Converts rotations from one form to another:

    - :obj:`"exponential_map"`: rotation vectors (axis times angle) in
      radians, of shape :math:`[*, 3]`. Returned angles are at most
      :math:`\pi`.
    - :obj:`"matrix"`: matrices that rotate column vectors, of shape
      :math:`[*, 3, 3]`.
    - :obj:`"quaternion"`: :math:`(x, y, z, w)`, of shape :math:`[*, 4]` and
      any norm except 0. Returned quaternions have unit norm and
      :math:`w \ge 0`.
    - :obj:`"euler"`: the angles :math:`(e_1, e_2, e_3)` of
      :func:`rotmat_to_euler` in radians, of shape :math:`[*, 3]`.

    CMU Mocap stores the negative rotation vector of each joint, so pass the
    negative pose. :func:`~symgnn_pyg.skeleton.forward_kinematics` computes
    positions from rotations.

    Args:
        rotation: The rotations.
        source: The form of :obj:`rotation`.
        target: The form to convert to.

    Raises:
        ValueError: If a form is unknown, or the shape of :obj:`rotation` does
            not fit :obj:`source`.
    """
    check_choices(get_args(Form), source=source, target=target)
    shape = SHAPES[source]
    if rotation.shape[-len(shape) :] != shape:
        raise ValueError(
            f"Expected 'rotation' of shape [*, {', '.join(map(str, shape))}] "
            f"for {source!r}, got {list(rotation.shape)}"
        )
    return _from_matrix(_to_matrix(rotation, source), target)


def rotmat_to_euler(matrix: Tensor) -> Tensor:
    r"""Converts rotation matrices to Euler angles in the convention of
    :class:`~symgnn_pyg.metrics.MeanAngleError`:

    .. math::
        e_2 = -\arcsin R_{02}, \qquad
        e_1 = \textrm{atan2}(R_{12} / \cos e_2, R_{22} / \cos e_2), \qquad
        e_3 = \textrm{atan2}(R_{01} / \cos e_2, R_{00} / \cos e_2)

    except for :math:`|R_{02}| = 1`, where :math:`e_3 = 0` and :math:`e_1 =
    \textrm{atan2}(R_{01}, R_{02})`. Since :math:`R_{01}` is 0 there, this
    special case, which is part of the published protocol, loses the rotation
    about the other axes. Otherwise, :func:`euler_to_rotmat` is the inverse.

    Args:
        matrix: Rotation matrices, of shape :math:`[*, 3, 3]`.

    Returns:
        The angles :math:`(e_1, e_2, e_3)` in radians, of shape
        :math:`[*, 3]`.
    """
    sine = matrix[..., 0, 2]
    locked = sine.abs() >= 1.0
    second = -sine.clamp(-1.0, 1.0).arcsin()
    cosine = torch.where(locked, 1.0, second.cos())
    first = torch.atan2(matrix[..., 1, 2] / cosine, matrix[..., 2, 2] / cosine)
    third = torch.atan2(matrix[..., 0, 1] / cosine, matrix[..., 0, 0] / cosine)
    turn = torch.atan2(matrix[..., 0, 1], sine)
    first = torch.where(locked, turn, first)
    third = torch.where(locked, 0.0, third)
    return torch.stack([first, second, third], dim=-1)


def euler_to_rotmat(euler: Tensor) -> Tensor:
    r"""Converts Euler angles in the convention of :func:`rotmat_to_euler` to
    rotation matrices:

    .. math::
        \mathbf{R} = (\mathbf{R}_z(e_3) \, \mathbf{R}_y(e_2) \,
        \mathbf{R}_x(e_1))^{\top}

    Args:
        euler: The angles :math:`(e_1, e_2, e_3)` in radians, of shape
            :math:`[*, 3]`.

    Returns:
        The matrices, of shape :math:`[*, 3, 3]`.
    """
    return roma.euler_to_rotmat("xyz", euler).mT


def _to_matrix(rotation: Tensor, source: Form) -> Tensor:
    if source == "exponential_map":
        return roma.rotvec_to_rotmat(rotation)
    if source == "quaternion":
        return roma.unitquat_to_rotmat(roma.quat_normalize(rotation))
    return euler_to_rotmat(rotation) if source == "euler" else rotation


def _from_matrix(matrix: Tensor, target: Form) -> Tensor:
    if target == "exponential_map":
        return roma.rotmat_to_rotvec(matrix)
    if target == "quaternion":
        quaternion = roma.rotmat_to_unitquat(matrix)
        return torch.where(quaternion[..., 3:] < 0, -quaternion, quaternion)
    return rotmat_to_euler(matrix) if target == "euler" else matrix
