import torch
from torch import Tensor


def interpolate_frames(motion: Tensor, times: Tensor) -> Tensor:
    r"""The frames of a motion at any times between its first and its last,
    by linear interpolation:

    .. math::
        \mathbf{x}(t) = (1 - w) \, \mathbf{x}_{\lfloor t \rfloor} +
        w \, \mathbf{x}_{\lceil t \rceil}, \qquad w = t - \lfloor t \rfloor

    At an integer :math:`t` that is frame :math:`t` exactly.

    Args:
        motion: The motion, of shape :math:`[*, T, C]`.
        times: The times in frames, from :math:`0` to :math:`T - 1`, of shape
            :math:`[T_{\textrm{new}}]`, or :math:`[*, T_{\textrm{new}}]` for
            times of each motion, broadcast against its leading dimensions.

    Returns:
        The frames, of shape :math:`[*, T_{\textrm{new}}, C]`.

    Raises:
        ValueError: If a time lies outside the motion. This is not checked
            under :func:`torch.compile` and :func:`torch.export.export`.
    """
    last = motion.size(-2) - 1
    if (
        not torch.compiler.is_compiling()
        and not ((times >= 0) & (times <= last)).all()
    ):
        raise ValueError(
            f"'times' must lie from 0 to {last}, the last of the "
            f"{last + 1} frames of 'motion', got {times.min().item():g} to "
            f"{times.max().item():g}"
        )
    before, after = times.floor().long(), times.ceil().long()
    weight = (times - before).to(motion).unsqueeze(-1)  # [*, T_new, 1]
    return torch.lerp(_frames(motion, before), _frames(motion, after), weight)


def stretch_frames(motion: Tensor, num_frames: int) -> Tensor:
    r"""Stretches or compresses a motion to another number of evenly spaced
    frames, the first and the last of which stay, by linear interpolation:

    .. math::
        \mathbf{x}'_i = \mathbf{x} \left( i \, \frac{T - 1}
        {T_{\textrm{new}} - 1} \right), \qquad i = 0, \ldots,
        T_{\textrm{new}} - 1

    where :math:`\mathbf{x}(t)` is that of :func:`interpolate_frames`. A single
    new frame is the first one.

    Args:
        motion: The motion, of shape :math:`[*, T, C]`.
        num_frames: The new number of frames :math:`T_{\textrm{new}}`.

    Returns:
        The frames, of shape :math:`[*, T_{\textrm{new}}, C]`.
    """
    last = motion.size(-2) - 1
    times = torch.linspace(
        0, last, num_frames, dtype=torch.double, device=motion.device
    )
    return interpolate_frames(motion, times)


def _frames(motion: Tensor, index: Tensor) -> Tensor:
    if index.dim() == 1:
        return motion.index_select(-2, index)
    lead = torch.broadcast_shapes(motion.shape[:-2], index.shape[:-1])
    index = index.unsqueeze(-1).expand(*lead, -1, motion.size(-1))
    return motion.expand(*lead, -1, -1).gather(-2, index)
