"""Registers the kernels as an operator of torch with its derivatives."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from symgnn_pyg.ops.formulas import dense

Gradients = tuple[Tensor, Tensor, Tensor]


@torch.library.custom_op("symgnn_pyg::graph_mix_triton", mutates_args=())
def forward(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Tensor:
    if x.numel() == 0 or weight.numel() == 0:
        return x.new_zeros(*x.shape[:2], weight.size(2))
    from symgnn_pyg.ops.triton import launch

    return launch.mix(x.contiguous(), graphs.contiguous(), weight, sizes)


@torch.library.custom_op(
    "symgnn_pyg::graph_mix_triton_backward", mutates_args=()
)
def backward(
    grad: Tensor,
    x: Tensor,
    graphs: Tensor,
    weight: Tensor,
    sizes: Sequence[int],
    needs: Sequence[bool],
) -> Gradients:
    grad_x, grad_graphs, grad_weight = _empty(x, graphs, weight, needs)
    if grad.numel() == 0 or x.numel() == 0:
        return grad_x.zero_(), grad_graphs.zero_(), grad_weight.zero_()
    from symgnn_pyg.ops.triton import launch

    inputs = [each.contiguous() for each in (grad, x, graphs, weight)]
    grad, x, graphs, weight = inputs
    if needs[0]:
        # The same operator, with all of its matrices transposed.
        grad_x = launch.mix(grad, graphs, weight.mT, sizes, transposed=True)
    if needs[1]:
        grad_graphs = launch.graph_gradient(grad, x, graphs, weight, sizes)
    if needs[2]:
        grad_weight = launch.weight_gradient(grad, x, graphs, weight, sizes)
    return grad_x, grad_graphs, grad_weight


def _empty(
    x: Tensor, graphs: Tensor, weight: Tensor, needs: Sequence[bool]
) -> Gradients:
    r"""Empty tensors for the gradients that are needed."""
    grad_x, grad_graphs, grad_weight = (
        tensor.new_empty(tensor.shape if need else 0)
        for tensor, need in zip((x, graphs, weight), needs, strict=True)
    )
    return grad_x, grad_graphs, grad_weight


@forward.register_fake
def _(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Tensor:
    return x.new_empty(*x.shape[:2], weight.size(2))


@backward.register_fake
def _(
    grad: Tensor,
    x: Tensor,
    graphs: Tensor,
    weight: Tensor,
    sizes: Sequence[int],
    needs: Sequence[bool],
) -> Gradients:
    return _empty(x, graphs, weight, needs)


def _save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    *tensors, ctx.sizes = inputs
    ctx.save_for_backward(*tensors)


def _first_derivative(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    needs = ctx.needs_input_grad[:3]
    if torch.is_grad_enabled():
        # Second derivatives are those of the dense formula.
        inputs = [t.view_as(t) for t in ctx.saved_tensors]
        x, graphs, weight = inputs
        out = _dense(x, graphs, weight, ctx.sizes)
        wanted = [t for t, need in zip(inputs, needs, strict=True) if need]
        found = iter(torch.autograd.grad(out, wanted, grad, create_graph=True))
        return *(next(found) if need else None for need in needs), None
    grads = backward(grad, *ctx.saved_tensors, ctx.sizes, needs)
    pairs = zip(grads, needs, strict=True)
    return *(g if need else None for g, need in pairs), None


forward.register_autograd(_first_derivative, setup_context=_save)


def _dense(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Tensor:
    num_graphs = weight.size(0)
    if len(sizes) == 1:
        v = sizes[0]
        samples = x.unflatten(0, (x.size(0) // v, v))
        stack = graphs.view(samples.size(0), num_graphs, v, v)
        return dense(samples, stack, weight).flatten(0, 1)
    entries = graphs.split([num_graphs * v * v for v in sizes])
    out = [
        dense(rows.unsqueeze(0), each.view(1, num_graphs, v, v), weight)[0]
        for rows, each, v in zip(
            x.split(list(sizes)), entries, sizes, strict=True
        )
    ]
    return torch.cat(out)
