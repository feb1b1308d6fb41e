from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.library import Library, register_autograd, register_fake

from symgnn_pyg.ops.dense import graph_mix_dense
from symgnn_pyg.ops.equal_sizes import Kernel

Gradients = tuple[Tensor, Tensor, Tensor]
Backward = Callable[
    [Tensor, Tensor, Tensor, Tensor, Sequence[int], Sequence[bool]], Gradients
]
LIBRARY = Library("symgnn_pyg", "FRAGMENT")
DISPATCH_KEY = "CompositeExplicitAutograd"


def opaque(name: str, forward: Kernel, backward: Backward) -> Kernel:
    r"""Makes a kernel of a forward and a backward pass that
    :func:`torch.compile` composes around, and that keeps its inputs alone for
    the backward pass. Second gradients are those of the dense kernel.

    Args:
        name: The name of the kernel.
        forward: Computes the new features from the features, the entries of
            the graphs, the weights and the sizes; none of them is empty.
        backward: Computes the gradients of the features, the graphs and the
            weights from that of the new features, the inputs, and which
            gradients are needed. Others may be empty.
    """
    first, second = f"graph_mix_{name}", f"graph_mix_{name}_backward"
    LIBRARY.define(
        f"{first}(Tensor x, Tensor graphs, Tensor weight, int[] sizes) "
        "-> Tensor"
    )
    LIBRARY.define(
        f"{second}(Tensor grad, Tensor x, Tensor graphs, Tensor weight, "
        "int[] sizes, bool[] needs) -> (Tensor, Tensor, Tensor)"
    )
    LIBRARY.impl(first, _skip_empty(forward), DISPATCH_KEY)
    LIBRARY.impl(second, _skip_empty_backward(backward), DISPATCH_KEY)
    register_fake(f"symgnn_pyg::{first}", _fake, lib=LIBRARY)
    register_fake(f"symgnn_pyg::{second}", _fake_backward, lib=LIBRARY)
    run = getattr(torch.ops.symgnn_pyg, first)
    run_backward = getattr(torch.ops.symgnn_pyg, second)

    def first_order(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        needs = ctx.needs_input_grad[:3]
        grads = run_backward(grad, *ctx.saved_tensors, ctx.sizes, needs)
        pairs = zip(grads, needs, strict=True)
        return *(g if need else None for g, need in pairs), None

    register_autograd(
        f"symgnn_pyg::{first}", first_order, setup_context=_save, lib=LIBRARY
    )
    register_autograd(
        f"symgnn_pyg::{second}",
        _second_order,
        setup_context=_save_backward,
        lib=LIBRARY,
    )

    def kernel(
        x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
    ) -> Tensor:
        out: Tensor = run(x, graphs.flatten(), weight, sizes)
        return out

    return kernel


def _skip_empty(forward: Kernel) -> Kernel:
    def run(
        x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
    ) -> Tensor:
        if x.numel() and weight.numel():
            return forward(x, graphs, weight, sizes)
        return x.new_zeros(*x.shape[:2], weight.size(2))

    return run


def _skip_empty_backward(backward: Backward) -> Backward:
    def run(grad: Tensor, x: Tensor, *inputs: Any) -> Gradients:
        if grad.numel() and x.numel():
            with torch.autocast(grad.device.type, enabled=False):
                return backward(grad, x, *inputs)
        graphs, weight, _, needs = inputs
        zeros = empty_gradients(x, graphs, weight, needs)
        for each in zeros:
            each.zero_()
        return zeros

    return run


def empty_gradients(
    x: Tensor, graphs: Tensor, weight: Tensor, needs: Sequence[bool]
) -> Gradients:
    r"""Room for the gradients that are needed."""
    grad_x, grad_graphs, grad_weight = (
        tensor.new_empty(tensor.shape if need else 0)
        for tensor, need in zip((x, graphs, weight), needs, strict=True)
    )
    return grad_x, grad_graphs, grad_weight


def _fake(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Tensor:
    return x.new_empty(*x.shape[:2], weight.size(2))


def _fake_backward(
    grad: Tensor,
    x: Tensor,
    graphs: Tensor,
    weight: Tensor,
    sizes: Sequence[int],
    needs: Sequence[bool],
) -> Gradients:
    return empty_gradients(x, graphs, weight, needs)


def _save(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    *tensors, ctx.sizes = inputs
    ctx.save_for_backward(*tensors)


def _save_backward(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    *tensors, ctx.sizes, ctx.needs = inputs
    ctx.save_for_backward(*tensors)


def _second_order(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
    create_graph = torch.is_grad_enabled()
    kind = grads[0].device.type
    with torch.enable_grad(), torch.autocast(kind, enabled=False):
        grad, x, graphs, weight = (
            # Views, so that what lies before the inputs is not walked here.
            t.view_as(t) if t.requires_grad else t.detach().requires_grad_()
            for t in ctx.saved_tensors
        )
        inputs = (x, graphs, weight)
        out = graph_mix_dense(x, graphs, weight, ctx.sizes)
        first = torch.autograd.grad(out, inputs, grad, create_graph=True)
        wanted = [i for i, need in enumerate(ctx.needs) if need]
        second = torch.autograd.grad(
            [first[i] for i in wanted],
            [grad, *inputs],
            [grads[i] for i in wanted],
            create_graph=create_graph,
            allow_unused=True,
        )
    return *second, None, None
