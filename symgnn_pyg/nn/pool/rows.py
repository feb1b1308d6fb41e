import torch
from torch import Tensor


def samples(x: Tensor, num_nodes: int, what: str) -> Tensor:
    r"""Views node-major features :math:`[N \cdot V, *]` as
    :math:`[N, V, *]`.

    Raises:
        ValueError: If the rows are no multiple of :math:`V`.
    """
    if x.size(0) % num_nodes != 0:
        raise ValueError(
            f"'x' has {x.size(0)} rows (shape {list(x.shape)}), which is no "
            f"multiple of the skeleton's {num_nodes} {what}"
        )
    return x.reshape(x.size(0) // num_nodes, num_nodes, *x.shape[1:])


def sample_of_body(num_bodies: Tensor, total: int) -> Tensor:
    r"""The index of the sample that each of :obj:`total` bodies belongs to,
    of shape :math:`[M]`, without asking the device for a number.

    Args:
        num_bodies: The number of bodies of each sample, of shape :math:`[N]`.
        total: The number of bodies :math:`M` of all samples.

    Raises:
        ValueError: If the bodies of the samples are not :math:`M` in all; told
            on the CPU alone.
    """
    if not num_bodies.is_cuda and not torch.compiler.is_compiling():
        found = int(num_bodies.sum())
        if found != total:
            raise ValueError(
                f"'num_bodies' counts {found} bodies in "
                f"{num_bodies.numel()} samples, but 'x' has rows of {total}"
            )
    sample = torch.arange(num_bodies.numel(), device=num_bodies.device)
    return sample.repeat_interleave(num_bodies, output_size=total)
