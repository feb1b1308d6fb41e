import torch
from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.bodies import first_bodies
from symgnn_pyg.transforms.checks import check_space
from symgnn_pyg.transforms.motion_transform import MotionTransform


@functional_transform("normalize_view")
class NormalizeView(MotionTransform):
    r"""Rotates a sample about the origin so that its first body stands upright
    and faces a fixed direction (functional name: :obj:`normalize_view`):

    .. math::
        \mathbf{e}_z = \frac{\mathbf{s}}{\Vert \mathbf{s} \Vert}, \qquad
        \mathbf{e}_x = \frac{\mathbf{h} - (\mathbf{h}^{\top} \mathbf{e}_z)
        \mathbf{e}_z}{\Vert \mathbf{h} - (\mathbf{h}^{\top} \mathbf{e}_z)
        \mathbf{e}_z \Vert}, \qquad
        \mathbf{e}_y = \mathbf{e}_z \times \mathbf{e}_x, \qquad
        \mathbf{x}' = (\mathbf{e}_x, \mathbf{e}_y, \mathbf{e}_z)^{\top}
        \mathbf{x}

    where :math:`\mathbf{s} = \mathbf{x}_b - \mathbf{x}_a` is the spine and
    :math:`\mathbf{h} = \mathbf{x}_l - \mathbf{x}_r` the line between the
    shoulders, in the first frame (observed or future) of the first body in
    which both are non-zero and not parallel. In that frame, the spine then
    points along z, and the shoulders lie in the plane of x and z.

    The usual preparation of NTU-RGB+D, in the code of 2s-AGCN and its
    successors, differs in three ways: its x axis points from the left shoulder
    to the right one, half a turn about z from here; it turns the spine to z
    first and then the shoulders to x, which tilts the spine again unless both
    are perpendicular; and it looks at the first frame only.

    Args:
        spine: The joints :math:`(a, b)` at the lower and the upper end of the
            spine, by name or index.
        shoulders: The joints :math:`(r, l)` of the right and the left
            shoulder, by name or index.

    Raises:
        ValueError: If the skeleton has no such joint, the motion does not have
            three channels, or a sample has no valid frame.

    Example:
        >>> NormalizeView(spine=(0, 1), shoulders=(8, 4))  # NTU-RGB+D
        NormalizeView(spine=(0, 1), shoulders=(8, 4))
    """

    def __init__(
        self,
        spine: tuple[int | str, int | str],
        shoulders: tuple[int | str, int | str],
    ) -> None:
        self.spine = spine
        self.shoulders = shoulders

    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        rotation = self._rotation(motion, skeleton, sample)
        return motion @ rotation.mT.unsqueeze(1)

    def restore(
        self,
        future: Tensor,
        observed: Tensor,
        skeleton: Skeleton,
        sample: Tensor,
    ) -> Tensor:
        r"""Rotates predicted frames back."""
        return future @ self._rotation(observed, skeleton, sample).unsqueeze(1)

    def _rotation(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        check_space(motion, self)
        spine = _between(motion, skeleton, self.spine)  # [M, T + T', 3]
        shoulders = _between(motion, skeleton, self.shoulders)
        first = first_bodies(sample)
        valid = _span_a_plane(spine, shoulders)[first]  # [M, T + T']
        # Values cannot be checked in an exported program.
        checked = not torch.compiler.is_compiling()
        if checked and not valid.any(dim=1).all():
            bad = sample[~valid.any(dim=1)].unique().tolist()
            raise ValueError(
                f"{self} requires a frame in which the spine and the shoulders "
                f"of the first body are non-zero and not parallel, got none "
                f"in samples {bad}; leave these samples out"
            )
        frame = valid.int().argmax(dim=1)
        return _axes(spine[first, frame], shoulders[first, frame])


def _between(
    motion: Tensor, skeleton: Skeleton, joints: tuple[int | str, int | str]
) -> Tensor:
    start, end = map(skeleton.index, joints)
    return motion[:, end] - motion[:, start]


def _span_a_plane(a: Tensor, b: Tensor) -> Tensor:
    rounding = torch.finfo(a.dtype).eps ** 0.5
    area = torch.linalg.cross(a, b).norm(dim=-1)
    return area > rounding * a.norm(dim=-1) * b.norm(dim=-1)


def _axes(spine: Tensor, shoulders: Tensor) -> Tensor:
    z = spine / spine.norm(dim=-1, keepdim=True)
    x = shoulders - (shoulders * z).sum(dim=-1, keepdim=True) * z
    x = x / x.norm(dim=-1, keepdim=True)
    return torch.stack([x, torch.linalg.cross(z, x), z], dim=-2)  # [M, 3, 3]
