import numpy as np

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.joint_tree import Motion
from symgnn_pyg.io.limits import File
from symgnn_pyg.io.npy import check_finite, read_arrays
from symgnn_pyg.skeleton import Skeleton

FRAME_RATES = ("mocap_framerate", "mocap_frame_rate", "fps")


def read_amass(file: File, name: str = "") -> Motion:
    r"""Reads a :obj:`.npz` file of AMASS: the pose of the 22 joints of the
    body in SMPL, SMPL+H or SMPL-X.

    Fingers, the translation and the shape of the body are left out: positions
    of joints would require the body models, which have licences of their own.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)

    Returns:
        The rotation of each joint relative to its parent as exponential maps
        in radians, of shape :math:`[T, 22, 3]`, the skeleton
        :obj:`"smpl22"`, and the frames per second.

    Raises:
        DataError: If it is not such a file.
    """
    arrays, name = read_arrays(file, ("poses", *FRAME_RATES), name)
    skeleton = Skeleton.get("smpl22")
    width = 3 * skeleton.num_joints
    poses = arrays.get("poses", np.empty(0))
    if poses.ndim != 2 or poses.shape[1] < width or not len(poses):
        raise DataError(
            f"{name}: expected 'poses' of shape [T, {width}] or wider, got "
            f"{list(poses.shape)}; it is not an AMASS file"
        )
    frames = poses[:, :width].reshape(len(poses), -1, 3)
    check_finite(frames, name)
    rates = [arrays[key] for key in FRAME_RATES if key in arrays]
    rate = float(rates[0].ravel()[0]) if rates else None
    if rate is not None and not 0 < rate < np.inf:
        raise DataError(f"{name}: expected a positive frame rate, got {rate}")
    return Motion(frames, skeleton, rate)
