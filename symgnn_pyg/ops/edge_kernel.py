"""The kernels of :func:`symgnn_pyg.ops.edge_mix`, registered with torch."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from symgnn_pyg.ops.edge_index import check_nodes
from symgnn_pyg.ops.node_bags import node_bags


@torch.library.custom_op("symgnn_pyg::edge_mix", mutates_args=())
def edge_mix_kernel(
    x: Tensor, edge_index: Tensor, edge_weight: Tensor | None, weight: Tensor
) -> Tensor:
    if x.device.type == "cpu":
        check_nodes(edge_index, x.size(0))
    out = x.new_empty(*x.shape[:-1], weight.size(-1))
    if x.numel() == 0 or out.numel() == 0 or edge_index.numel() == 0:
        return out.zero_()
    source, target = edge_index
    in_channels, out_channels = weight.shape[1:]
    features, summed = _rows(x), _rows(out)
    if in_channels <= out_channels:
        for bags in node_bags(target, source, edge_weight, features):
            y = summed[bags.nodes].view(-1, out_channels)  # [B*T, C_out]
            for k, w in enumerate(weight):
                mixed = bags.sum(features, k).view(-1, in_channels)
                y.addmm_(mixed, w, beta=float(k > 0))
    else:
        out.zero_()
        flat = features.view(-1, in_channels)  # [M*T, C_in]
        projected = torch.empty_like(summed)
        blocks = node_bags(target, source, edge_weight, projected)
        for k, w in enumerate(weight):
            torch.mm(flat, w, out=projected.view(-1, out_channels))
            for bags in blocks:
                summed[bags.nodes] += bags.sum(projected, k)
    return out


@torch.library.custom_op("symgnn_pyg::edge_mix_backward", mutates_args=())
def edge_mix_backward_kernel(
    grad: Tensor,
    x: Tensor,
    edge_index: Tensor,
    edge_weight: Tensor | None,
    weight: Tensor,
    needs: Sequence[bool],
) -> tuple[Tensor, Tensor, Tensor]:
    # With S_k = A_k^T G all gradients are local to the sources j: S_k W_k^T
    # to X, X^T S_k to W_k and <x_j W_k, g_i> to the weight of an edge.
    # The mixes of the forward pass are not needed again.
    if x.device.type == "cpu":
        check_nodes(edge_index, x.size(0))
    grads = _empty(x, edge_weight, weight, needs)
    if x.numel() == 0 or grad.numel() == 0 or edge_index.numel() == 0:
        for each in grads:
            each.zero_()
        return grads
    grad_x, grad_edge_weight, grad_weight = grads
    source, target = edge_index
    in_channels, out_channels = weight.shape[1:]
    features, gradient = _rows(x), _rows(grad)
    product = torch.empty_like(weight[0])
    total = torch.zeros_like(weight, dtype=_sum_dtype(weight.dtype))
    blocks = node_bags(source, target, edge_weight, gradient)
    scratch = torch.empty_like(gradient[blocks[0].nodes])
    for bags in blocks:
        rows = features[bags.nodes].view(-1, in_channels)  # [B*T, C_in]
        projected = scratch[: bags.ptr.numel() - 1]
        dots = []
        for k, w in enumerate(weight):
            if needs[1]:
                torch.mm(rows, w, out=projected.view(-1, out_channels))
                dots.append(bags.dot(projected, gradient))
            mixed = bags.sum(gradient, k).view(-1, out_channels)
            if needs[0]:
                grad_rows = grad_x[bags.nodes].view(-1, in_channels)
                grad_rows.addmm_(mixed, w.t(), beta=float(k > 0))
            if needs[2]:
                torch.mm(rows.t(), mixed, out=product)
                total[k] += product
        if needs[1]:
            grad_edge_weight[bags.edge] = torch.stack(dots, dim=-1)
    if needs[2]:
        grad_weight.copy_(total)
    return grads


@edge_mix_kernel.register_fake
def _(
    x: Tensor, edge_index: Tensor, edge_weight: Tensor | None, weight: Tensor
) -> Tensor:
    return x.new_empty(*x.shape[:-1], weight.size(-1))


@edge_mix_backward_kernel.register_fake
def _(
    grad: Tensor,
    x: Tensor,
    edge_index: Tensor,
    edge_weight: Tensor | None,
    weight: Tensor,
    needs: Sequence[bool],
) -> tuple[Tensor, Tensor, Tensor]:
    return _empty(x, edge_weight, weight, needs)


def _save(ctx: Any, inputs: tuple[Any, ...], output: object) -> None:
    ctx.save_for_backward(*inputs)
    ctx.set_materialize_grads(False)


def _save_of_backward(
    ctx: Any, inputs: tuple[Any, ...], output: object
) -> None:
    *tensors, ctx.needs = inputs
    _save(ctx, tuple(tensors), output)


def _backward(ctx: Any, grad: Tensor | None) -> tuple[Tensor | None, ...]:
    if grad is None:
        return None, None, None, None
    need_x, _, need_edge_weight, need_weight = ctx.needs_input_grad
    needs = [need_x, need_edge_weight, need_weight]
    found = edge_mix_backward_kernel(grad, *ctx.saved_tensors, needs)
    of_x, of_edge_weight, of_weight = (
        g if need else None for g, need in zip(found, needs, strict=True)
    )
    return of_x, None, of_edge_weight, of_weight


def _double_backward(
    ctx: Any, *directions: Tensor | None
) -> tuple[Tensor | None, ...]:
    # The operator f is linear in x, e and W each. Along the directions u, v
    # and w the gradients of <g, f(x, e, W)> are therefore the value
    # <g, f(u, e, W) + f(x, v, W) + f(x, e, w)>, of which this is the gradient.
    grad, x, edge_index, edge_weight, weight = ctx.saved_tensors
    need_grad, need_x, _, need_edge_weight, need_weight, _ = (
        ctx.needs_input_grad
    )
    of_grad: Tensor | None = None
    found: list[Tensor | None] = [None, None, None]
    for place, direction in enumerate(directions):
        if direction is None or not ctx.needs[place]:
            continue
        inputs = [x, edge_weight, weight]
        inputs[place] = direction
        along_x, along_edge_weight, along_weight = inputs
        arguments = (along_x, edge_index, along_edge_weight, along_weight)
        if need_grad:
            of_grad = _add(of_grad, edge_mix_kernel(*arguments))
        needs = [need_x, need_edge_weight, need_weight]
        needs[place] = False
        more = edge_mix_backward_kernel(grad, *arguments, needs)
        found = [
            _add(old, new) if need else old
            for old, new, need in zip(found, more, needs, strict=True)
        ]
    of_x, of_edge_weight, of_weight = found
    return of_grad, of_x, None, of_edge_weight, of_weight, None


edge_mix_kernel.register_autograd(_backward, setup_context=_save)
edge_mix_backward_kernel.register_autograd(
    _double_backward, setup_context=_save_of_backward
)


def _add(old: Tensor | None, new: Tensor) -> Tensor:
    return new if old is None else old + new


def _rows(features: Tensor) -> Tensor:
    return features.detach().contiguous().flatten(1)  # [M, T*C]


def _sum_dtype(dtype: torch.dtype) -> torch.dtype:
    # Many blocks are added up.
    return torch.promote_types(dtype, torch.float)


def _empty(
    x: Tensor, edge_weight: Tensor | None, weight: Tensor, needs: Sequence[bool]
) -> tuple[Tensor, Tensor, Tensor]:
    of_x, of_edge_weight, of_weight = (
        x.new_empty(tensor.shape if need and tensor is not None else 0)
        for tensor, need in zip((x, edge_weight, weight), needs, strict=True)
    )
    return of_x, of_edge_weight, of_weight
