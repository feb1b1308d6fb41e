import torch
from torch import Tensor
from torch.autograd import forward_ad


def needs_plain_code() -> bool:
    r"""Whether only operators of torch's own will do: in an exported program,
    which must run where this package is absent, under the transforms of
    :mod:`torch.func`, and in forward mode.
    """
    if torch.compiler.is_compiling():
        return torch.compiler.is_exporting()
    return (
        forward_ad._current_level >= 0
        or torch._C._functorch.peek_interpreter_stack() is not None
    )


def may_recompute(x: Tensor) -> bool:
    r"""Whether a backward pass of our own is worth its while: it computes
    again what torch would keep, which pays on a CPU, in full precision, and
    without a compiler, which does that itself.

    Args:
        x: The input of the operator.
    """
    return (
        torch.is_grad_enabled()
        and x.device.type == "cpu"
        and x.dtype in (torch.float, torch.double)
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()  # type: ignore[attr-defined]
        and not needs_plain_code()
    )
