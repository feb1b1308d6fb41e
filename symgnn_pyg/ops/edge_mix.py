from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from symgnn_pyg.ops.checks import (
    autocast_dtype,
    check_edge_index,
    check_features,
)
from symgnn_pyg.ops.edge_sums import SUM_ROWS, SumRows, gradients, values
from symgnn_pyg.ops.recompute import is_transformed


def edge_mix(
    x: Tensor,
    edge_index: Tensor,
    edge_weight: Tensor | None,
    weight: Tensor,
) -> Tensor:
    r"""The operator of :func:`graph_mix` on arbitrary edges:

    .. math::
        \mathbf{y}_i = \sum_{k=1}^{K} \sum_{(j,i) \in \mathcal{E}}
        e_{j,i}^{(k)} \, \mathbf{x}_j \mathbf{W}_k

    Edges may come in any order and more than once; a node without incoming
    edges gets zeros. Only the inputs are kept for the backward pass.

    On a CPU the messages of the edges are never held in memory. On a GPU they
    are made for one graph at a time, and again in the backward pass; sorted
    edges make their sums deterministic, and :obj:`torch-scatter` computes
    these if it is installed. Second derivatives, :obj:`torch.func`, forward
    mode and :obj:`torch.compile` take plain operators, which hold messages.

    Args:
        x: Node features, of shape :math:`[M, *, C_{in}]`.
        edge_index: The edges, of shape :math:`[2, |E|]`: sources, then
            targets.
        edge_weight: The weights of the edges, of shape :math:`[|E|, K]`,
            which are converted to the type of :obj:`x`, or :obj:`None` for
            ones (:math:`K = 1`).
        weight: The weights, of shape :math:`[K, C_{in}, C_{out}]`.

    Returns:
        The new features, of shape :math:`[M, *, C_{out}]`.

    Raises:
        ValueError: If shapes or types do not fit, or, on the CPU, if an edge
            joins nodes that :obj:`x` does not have.
    """
    check_features(x, weight)
    check_edge_index(edge_index)
    expected = [edge_index.size(1), weight.size(0)]
    shape = None if edge_weight is None else list(edge_weight.shape)
    if shape != expected and (shape, weight.size(0)) != (None, 1):
        raise ValueError(
            f"Expected 'edge_weight' of shape {expected}, one weight per edge "
            f"and graph, got {shape}"
        )
    dtype = autocast_dtype(x)
    if dtype is not None:
        x, weight = x.to(dtype), weight.to(dtype)
    if x.dtype != weight.dtype:
        raise ValueError(
            f"Expected 'x' and 'weight' of the same type, got {x.dtype} and "
            f"{weight.dtype}"
        )
    if edge_weight is not None:
        edge_weight = edge_weight.to(x.dtype)
    sum_rows = SUM_ROWS.get(x.device.type)
    return _mix(sum_rows, x, edge_index, edge_weight, weight)


def _mix(
    sum_rows: SumRows | None,
    x: Tensor,
    edge_index: Tensor,
    edge_weight: Tensor | None,
    weight: Tensor,
) -> Tensor:
    inputs = (x, edge_index, edge_weight, weight)
    # A compiler fuses plain operators, and an exported program runs where this
    # package is not installed.
    if torch.compiler.is_compiling() or is_transformed(*inputs):
        return _plain(*inputs)
    if x.device.type == "cpu":
        check_edge_index(edge_index, x.size(0))
    if sum_rows is None or 0 in (*x.shape, *edge_index.shape, *weight.shape):
        return _plain(*inputs)
    out: Tensor = _EdgeMix.apply(sum_rows, *inputs)
    return out


def _plain(
    x: Tensor,
    edge_index: Tensor,
    edge_weight: Tensor | None,
    weight: Tensor,
) -> Tensor:
    source, target = edge_index
    out = x.new_zeros(*x.shape[:-1], weight.size(-1))
    for k, w in enumerate(weight):
        message = (x @ w).index_select(0, source)  # [E, *, C_out]
        if edge_weight is not None:
            shape = (-1, *[1] * (x.dim() - 1))
            message = edge_weight[:, k].view(shape) * message
        out = out.index_add(0, target, message)
    return out


class _EdgeMix(torch.autograd.Function):
    r"""The values and gradients of :mod:`symgnn_pyg.ops.edge_sums`; only the
    inputs are kept. Second derivatives and transforms, which those do not
    support, are those of the plain formula.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(sum_rows: SumRows, *inputs: Any) -> Tensor:
        return values(sum_rows, *inputs)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.sum_rows, *tensors = inputs
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        (grad,), inputs = grads, ctx.saved_tensors
        needs = ctx.needs_input_grad[1:]
        with torch.autocast(grad.device.type, enabled=False):
            if torch.is_grad_enabled() or is_transformed(grad, *inputs):
                return None, *_plain_gradients(needs, grad, *inputs)
            return None, *gradients(ctx.sum_rows, needs, grad, *inputs)


def _plain_gradients(
    needs: Sequence[bool], grad: Tensor, *inputs: Any
) -> list[Tensor | None]:
    needed = {i: inputs[i] for i, need in enumerate(needs) if need}

    def plain(needed: dict[int, Tensor]) -> Tensor:
        return _plain(*(dict(enumerate(inputs)) | needed).values())

    pull = torch.func.vjp(plain, needed)[1]
    (found,) = pull(grad)
    return [found.get(i) for i in range(len(inputs))]
