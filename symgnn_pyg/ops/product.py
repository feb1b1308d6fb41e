from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.library import Library, register_autograd, register_fake

from symgnn_pyg.ops.plain_code import needs_plain_code

CPU_INFO = Path("/proc/cpuinfo")


def _has_operator() -> bool:
    return hasattr(torch.ops.mkldnn, "_linear_pointwise")


def _is_amd() -> bool:
    try:
        with CPU_INFO.open() as file:
            return any("AuthenticAMD" in line for line in file)
    except OSError:
        return False


# On AMD processors with AVX-512 the BLAS of torch uses half of the width that
# oneDNN, which torch has as well, uses all of: `python -m benchmarks.operators`
# prints the kernels with the one and with the other.
FASTER = (
    torch.backends.cpu.get_cpu_capability() == "AVX512"
    and torch.backends.mkldnn.is_available()
    and _has_operator()
    and _is_amd()
)


def onednn_is_faster(x: Tensor) -> bool:
    r"""Whether products of float32 go through oneDNN on this machine, where
    :obj:`torch.backends.mkldnn.flags(enabled=False)` does not forbid it.

    Args:
        x: A factor.
    """
    return (
        FASTER
        and x.dtype == torch.float32
        and x.device.type == "cpu"
        and bool(torch.backends.mkldnn.enabled)
    )


def product(a: Tensor, b: Tensor, plus: Tensor | None = None) -> Tensor:
    r"""The product of two matrices by oneDNN where that is faster, else by
    torch's BLAS; nothing of it is recorded for gradients:

    .. math::
        \mathbf{Y} = \mathbf{A} \mathbf{B} + \mathbf{P}

    Args:
        a: The left factor, of shape :math:`[M, K]`.
        b: The right factor, of shape :math:`[K, N]`.
        plus: What is added, of shape :math:`[M, N]`. (default: nothing)
    """
    if not (onednn_is_faster(a) and _is_whole(a) and _is_whole(b)):
        return a @ b if plus is None else torch.addmm(plus, a, b)
    linear = torch.ops.mkldnn._linear_pointwise
    if plus is None:
        return linear(a, b.t(), None, "none", [], "")
    return linear.binary(a, plus, b.t(), None, "add")


def _is_whole(a: Tensor) -> bool:
    # Of parts of matrices oneDNN makes a hundred times more work.
    whole = a.is_contiguous() or a.t().is_contiguous()
    return whole and a.numel() > 0


def matmul(a: Tensor, b: Tensor, plus: Tensor | None = None) -> Tensor:
    r"""As :func:`product`, with gradients, and in the precision of autocast
    where that is on.

    Args:
        a: The left factor, of shape :math:`[M, K]`.
        b: The right factor, of shape :math:`[K, N]`.
        plus: What is added, of shape :math:`[M, N]`. (default: nothing)
    """
    plain = needs_plain_code() or torch.is_autocast_enabled(a.device.type)
    if plain or not onednn_is_faster(a):
        return a @ b if plus is None else torch.addmm(plus, a, b)
    out: Tensor = torch.ops.symgnn_pyg.product(a, b, plus)
    return out


LIBRARY = Library("symgnn_pyg", "FRAGMENT")
LIBRARY.define("product(Tensor a, Tensor b, Tensor? plus) -> Tensor")
LIBRARY.impl("product", product, "CompositeExplicitAutograd")


@register_fake("symgnn_pyg::product", lib=LIBRARY)  # type: ignore[untyped-decorator]
def _(a: Tensor, b: Tensor, plus: Tensor | None = None) -> Tensor:
    return a.new_empty(a.size(0), b.size(1))


def _save(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    ctx.save_for_backward(*inputs[:2])


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    a, b = ctx.saved_tensors
    needs = ctx.needs_input_grad
    return (
        matmul(grad, b.t()) if needs[0] else None,
        matmul(grad.t(), a).t() if needs[1] else None,
        grad if needs[2] else None,
    )


register_autograd(
    "symgnn_pyg::product", _backward, setup_context=_save, lib=LIBRARY
)
