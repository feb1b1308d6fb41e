import logging
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from symgnn_pyg.ops.triton.operator import forward
from symgnn_pyg.typing import WITH_TRITON

# Joints of a sample whose graph a program holds whole.
MOST_JOINTS = 64
TYPES = (torch.float, torch.bfloat16, torch.half)
# Older GPUs have no tensor cores for bfloat16 and TF32.
OLDEST = (8, 0)


def graph_mix_triton(
    x: Tensor, stacks: Sequence[Tensor], weight: Tensor
) -> Tensor | None:
    r"""One fused pass on a GPU, by Triton; experimental until a GPU has timed
    it. A program reads a few frames of a sample once, mixes them by all
    graphs, multiplies each mix by its weights and writes the sum. Mixes never
    leave the processor, and only the inputs are saved for the backward pass,
    which mixes again.

    All sums are in float32 and in an order that the shapes decide, in the
    backward pass too, so that a process finds the same bits each time. Factors
    of float32 are rounded to TF32 where
    :obj:`torch.backends.cuda.matmul.fp32_precision` says so.

    It returns :obj:`None`, which is logged once, for what it does not support
    and the dense formula computes instead: float64, samples of more than 64
    joints, GPUs before compute capability 8.0, and a
    device other than a GPU, unless :obj:`TRITON_INTERPRET=1` was set before
    Triton was imported. The first call with new widths compiles and compares a
    few tiles, which takes some seconds, and cannot be captured by a CUDA graph;
    nor can batches of unequal sizes.

    Args:
        x: Node features, of shape :math:`[\sum_n V_n, P, C_{in}]`.
        stacks: The graphs, as :func:`~symgnn_pyg.ops.stack_graphs` returns
            them.
        weight: The weights, of shape :math:`[K, C_{in}, C_{out}]`.
    """
    sizes = [stack.size(-1) for stack in stacks]
    if len(sizes) > 1:
        sizes = [s.size(-1) for s in stacks for _ in range(s.size(0))]
    graphs = torch.cat([stack.flatten() for stack in stacks])
    obstacle = _obstacle(x, graphs, weight, sizes)
    if obstacle is None:
        out: Tensor = forward(x, graphs, weight, sizes)
        return out
    _log(obstacle)
    return None


def _obstacle(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> str | None:
    if not WITH_TRITON:
        return "Triton is not installed"
    if x.device.type != "cuda" and not _is_interpreted():
        return f"the features are on the device {x.device.type!r}"
    if x.is_cuda and torch.cuda.get_device_capability(x.device) < OLDEST:
        return "the GPU has no tensor cores for bfloat16 and TF32"
    if not x.device == graphs.device == weight.device:
        return "features, graphs and weights differ in device"
    if x.dtype not in TYPES:
        return f"the features are of type {x.dtype}"
    if not x.dtype == graphs.dtype == weight.dtype:
        return "features, graphs and weights differ in type"
    if any(v > MOST_JOINTS for v in sizes):
        return f"a sample has more than {MOST_JOINTS} joints"
    return None


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _is_interpreted() -> bool:
    from symgnn_pyg.ops.triton import kernels

    return bool(kernels.INTERPRETED)


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _log(obstacle: str) -> None:
    _log_once(obstacle)


@lru_cache
def _log_once(obstacle: str) -> None:
    logging.getLogger("symgnn_pyg").warning(
        "The formula 'dense' takes the place of 'triton': %s", obstacle
    )
