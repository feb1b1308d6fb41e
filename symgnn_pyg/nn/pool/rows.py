import torch
from torch import Tensor


def samples(x: Tensor, num_nodes: int, what: str) -> Tensor:
    r"""Views node-major features :math:`[N \cdot V, *]` as
    :math:`[N, V, *]`.

    Raises:
        ValueError: If the number of rows is not a multiple of :math:`V`.
    """
    if x.size(0) % num_nodes != 0:
        raise ValueError(
            f"Expected 'x' to have a multiple of {num_nodes} rows, the number "
            f"of {what} of the skeleton, got {list(x.shape)}"
        )
    return x.reshape(x.size(0) // num_nodes, num_nodes, *x.shape[1:])


def sample_of_body(num_bodies: Tensor, total: int) -> Tensor:
    r"""The index of the sample that each body belongs to, of shape
    :math:`[M]`, computed without synchronising with the device.

    Args:
        num_bodies: The number of bodies in each sample, of shape :math:`[N]`.
        total: The number of bodies :math:`M` in all samples.

    Raises:
        ValueError: If :obj:`num_bodies` has another shape or type, or does
            not add up to :math:`M`, which is only checked on the CPU.
    """
    if (
        not isinstance(num_bodies, Tensor)
        or num_bodies.dim() != 1
        or num_bodies.is_floating_point()
    ):
        raise ValueError(
            f"Expected 'num_bodies' to be a tensor of integers of shape [N], "
            f"got {num_bodies!r}"
        )
    if not num_bodies.is_cuda and not torch.compiler.is_compiling():
        found = int(num_bodies.sum())
        if found != total:
            raise ValueError(
                f"'num_bodies' must add up to {total}, the number of bodies "
                f"in 'x', got {found} in {num_bodies.numel()} samples"
            )
    # Not repeat_interleave, which cannot be exported to ONNX.
    start = num_bodies.cumsum(0) - num_bodies
    starts = num_bodies.new_zeros(total + 1)
    starts = starts.scatter_add(0, start, torch.ones_like(num_bodies))
    return starts[:-1].cumsum(0) - 1
