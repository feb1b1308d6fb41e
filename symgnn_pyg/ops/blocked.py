from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function, FunctionCtx

from symgnn_pyg.ops.dense import graph_mix_dense


def graph_mix_blocked(
    x: Tensor, graphs: Sequence[Tensor], weight: Tensor
) -> Tensor:
    r"""A few samples at a time through one reused scratch that stays in the
    cache. Only the inputs are kept for the backward pass, which mixes again.
    """
    out: Tensor = _Blocked.apply(x.contiguous(), weight, *graphs)
    return out


class _Blocked(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, *graphs: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight, *graphs)
        num_joints, (_, width, out_width) = graphs[0].size(-1), weight.shape
        samples = _samples(x, num_joints)
        out = x.new_empty(*x.shape[:-1], out_width)
        rows = _samples(out, num_joints)
        block = _block_size()
        scratch = torch.empty_like(samples[:block])
        for at in range(0, samples.size(0), block):
            here = slice(at, at + block)
            size = samples[here].size(0)
            y = rows[here].view(-1, out_width)  # [B*V*T, C_out]
            for k, graph in enumerate(graphs):
                a = _of_block(graph, here, size)
                torch.bmm(a, samples[here], out=scratch[:size])
                mixed = scratch[:size].view(-1, width)
                if k == 0:
                    torch.mm(mixed, weight[k], out=y)
                else:
                    y.addmm_(mixed, weight[k])
        return out

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        inputs: tuple[Tensor, ...] = ctx.saved_tensors  # type: ignore[attr-defined]
        needs: tuple[bool, ...] = ctx.needs_input_grad  # type: ignore[attr-defined]
        if torch.is_grad_enabled():
            return _differentiable_backward(inputs, needs, grad)
        x, weight, *graphs = inputs
        num_joints, (_, width, out_width) = graphs[0].size(-1), weight.shape
        samples = _samples(x, num_joints)
        rows = _samples(grad.contiguous(), num_joints)
        grad_x = torch.zeros_like(samples)
        grad_weight = torch.zeros_like(weight)
        grad_graphs = [torch.zeros_like(graph) for graph in graphs]
        block = _block_size()
        scratch = torch.empty_like(samples[:block])
        for at in range(0, samples.size(0), block):
            here = slice(at, at + block)
            size = samples[here].size(0)
            mixed = scratch[:size]
            flat = mixed.view(-1, width)
            g = rows[here].view(-1, out_width)
            for k, graph in enumerate(graphs):
                a = _of_block(graph, here, size)
                if needs[1]:
                    torch.bmm(a, samples[here], out=mixed)
                    grad_weight[k].addmm_(flat.t(), g)
                torch.mm(g, weight[k].t(), out=flat)
                if needs[0]:
                    grad_x[here].baddbmm_(a.mT, mixed)
                if needs[2 + k] and graph.dim() == 2:
                    grad_graphs[k] += torch.bmm(mixed, samples[here].mT).sum(
                        dim=0
                    )
                elif needs[2 + k]:
                    torch.bmm(mixed, samples[here].mT, out=grad_graphs[k][here])
        grads = [grad_x.view_as(x), grad_weight, *grad_graphs]
        return tuple(
            g if need else None for g, need in zip(grads, needs, strict=True)
        )


def _differentiable_backward(
    inputs: Sequence[Tensor], needs: Sequence[bool], grad: Tensor
) -> tuple[Tensor | None, ...]:
    # An input may depend on another: views keep their derivatives apart.
    inputs = [t.view_as(t) for t in inputs]
    wanted = [t for t, need in zip(inputs, needs, strict=True) if need]
    x, weight, *graphs = inputs
    out = graph_mix_dense(x, graphs, weight)
    found = iter(torch.autograd.grad(out, wanted, grad, create_graph=True))
    return tuple(next(found) if need else None for need in needs)


def _samples(x: Tensor, num_joints: int) -> Tensor:
    shape = (x.size(0) // num_joints, num_joints, prod(x.shape[1:]))
    return x.view(shape)  # [N, V, T*C]


def _of_block(graph: Tensor, here: slice, size: int) -> Tensor:
    return graph[here] if graph.dim() == 3 else graph.expand(size, -1, -1)


def _block_size() -> int:
    # One sample a core keeps the scratch in the cache; two feed the cores.
    return 2 * torch.get_num_threads()
