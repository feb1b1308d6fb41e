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


# Products of fewer multiplications take less time than it takes to call oneDNN,
# and to record that for gradients.
LEAST, LEAST_RECORDED = 2**20, 10 * 2**20


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
        plus: What is added, of shape :math:`[M, N]` or :math:`[N]`.
            (default: nothing)
    """
    if (
        not onednn_is_faster(a)
        or a.numel() * b.size(1) < max(1, LEAST)
        or not (_is_whole(a) and _is_whole(b))
    ):
        return a @ b if plus is None else torch.addmm(plus, a, b)
    pointwise = torch.ops.mkldnn._linear_pointwise
    # A left factor that lies transposed takes longer than its copy.
    a = a.contiguous()
    if plus is None or plus.dim() == 1:
        # oneDNN takes the numbers of a bias for neighbours.
        plus = None if plus is None else plus.contiguous()
        return pointwise(a, b.t(), plus, "none", [], "")
    return pointwise.binary(a, plus, b.t(), None, "add")


def _is_whole(a: Tensor) -> bool:
    # Of parts of matrices oneDNN makes a hundred times more work.
    return a.is_contiguous() or a.t().is_contiguous()


def matmul(a: Tensor, b: Tensor, plus: Tensor | None = None) -> Tensor:
    r"""As :func:`product`, with gradients, and in the precision of autocast
    where that is on.

    Args:
        a: The left factor, of shape :math:`[M, K]`.
        b: The right factor, of shape :math:`[K, N]`.
        plus: What is added, of shape :math:`[M, N]` or :math:`[N]`.
            (default: nothing)
    """
    if _is_plain(a, b.size(1)):
        return a @ b if plus is None else torch.addmm(plus, a, b)
    return _recorded(a, b, plus)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    r"""As :func:`torch.nn.functional.linear`, by :func:`matmul`.

    Args:
        x: The features, of shape :math:`[*, C_{in}]`.
        weight: The weights, of shape :math:`[C_{out}, C_{in}]`.
        bias: What is added, of shape :math:`[C_{out}]`. (default: nothing)
    """
    if _is_plain(x, weight.size(0)):
        return torch.nn.functional.linear(x, weight, bias)
    out = _recorded(x.flatten(0, -2), weight.t(), bias)
    return out.view(*x.shape[:-1], weight.size(0))


def _is_plain(a: Tensor, width: int) -> bool:
    return (
        not onednn_is_faster(a)
        or needs_plain_code()
        or torch.is_autocast_enabled(a.device.type)
        or (torch.is_grad_enabled() and a.numel() * width < LEAST_RECORDED)
    )


def _recorded(a: Tensor, b: Tensor, plus: Tensor | None) -> Tensor:
    if not (torch.is_grad_enabled() or torch.compiler.is_compiling()):
        return product(a, b, plus)
    out: Tensor = torch.ops.symgnn_pyg.product(a, b, plus)
    return out


LIBRARY = Library("symgnn_pyg", "FRAGMENT")
LIBRARY.define("product(Tensor a, Tensor b, Tensor? plus) -> Tensor")
LIBRARY.impl("product", product, "CompositeExplicitAutograd")


@register_fake("symgnn_pyg::product", lib=LIBRARY)  # type: ignore[untyped-decorator]
def _(a: Tensor, b: Tensor, plus: Tensor | None = None) -> Tensor:
    return a.new_empty(a.size(0), b.size(1))


def _save(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    a, b, plus = inputs
    ctx.save_for_backward(a, b)
    ctx.is_bias = plus is not None and plus.dim() == 1


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    a, b = ctx.saved_tensors
    needs = ctx.needs_input_grad
    return (
        matmul(grad, b.t()) if needs[0] else None,
        matmul(grad.t(), a).t() if needs[1] else None,
        (grad.sum(dim=0) if ctx.is_bias else grad) if needs[2] else None,
    )


register_autograd(
    "symgnn_pyg::product", _backward, setup_context=_save, lib=LIBRARY
)
