import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from symgnn_pyg.ops.formulas import dense
from symgnn_pyg.typing import WITH_TRITON

Gradients = tuple[Tensor, Tensor, Tensor]

# Joints of a sample whose graph a program holds whole.
MOST_JOINTS = 64
TYPES = (torch.float, torch.bfloat16, torch.half)
# The number of programs that keeps a large GPU busy.
PROGRAMS = 512
# Older GPUs have no tensor cores for bfloat16 and TF32.
OLDEST = (8, 0)
_LOCK = Lock()


@torch.library.custom_op("symgnn_pyg::graph_mix_triton", mutates_args=())
def _forward(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Tensor:
    if x.numel() == 0 or weight.numel() == 0:
        return x.new_zeros(*x.shape[:2], weight.size(2))
    return _mix(x.contiguous(), graphs.contiguous(), weight, sizes)


def _mix(
    x: Tensor,
    graphs: Tensor,
    weight: Tensor,
    sizes: Sequence[int],
    transposed: bool = False,
) -> Tensor:
    num_rows, num_frames, width = x.shape
    num_graphs, _, out_width = weight.shape
    out = x.new_empty(num_rows, num_frames, out_width)

    def programs(meta: dict[str, int]) -> tuple[int]:
        frame_tiles = _cdiv(num_frames, meta["FRAMES"])
        out_tiles = _cdiv(out_width, meta["OUT_CHANNELS"])
        return (_num_samples(x, sizes) * frame_tiles * out_tiles,)

    _run(
        "mix",
        programs,
        *(x, graphs, weight, out, *_samples(x, num_graphs, sizes)),
        *(num_graphs, num_frames, width, out_width, *weight.stride()),
        TRANSPOSED=transposed,
        **_tiles(x, sizes, width, out_width),
    )
    return out


@torch.library.custom_op(
    "symgnn_pyg::graph_mix_triton_backward", mutates_args=()
)
def _backward(
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
    inputs = [each.contiguous() for each in (grad, x, graphs, weight)]
    grad, x, graphs, weight = inputs
    if needs[0]:
        # The same operator, with all of its matrices transposed.
        grad_x = _mix(grad, graphs, weight.mT, sizes, transposed=True)
    if needs[1]:
        grad_graphs = _graph_gradient(grad, x, graphs, weight, sizes)
    if needs[2]:
        grad_weight = _weight_gradient(grad, x, graphs, weight, sizes)
    return grad_x, grad_graphs, grad_weight


def _graph_gradient(
    grad: Tensor,
    x: Tensor,
    graphs: Tensor,
    weight: Tensor,
    sizes: Sequence[int],
) -> Tensor:
    num_graphs, width, out_width = weight.shape
    programs = _num_samples(x, sizes) * num_graphs
    shares = _shares(programs, x.size(1))
    sums = graphs.new_empty(shares, graphs.numel(), dtype=torch.float)
    _run(
        "graph_gradient",
        (programs * shares,),
        *(grad, x, weight, sums, *_samples(x, num_graphs, sizes)),
        *(num_graphs, x.size(1), width, out_width, graphs.numel(), shares),
        # Wider tiles take more registers than there are.
        **_tiles(x, sizes, width, min(64, out_width)),
    )
    return sums.sum(dim=0).to(graphs.dtype)


def _weight_gradient(
    grad: Tensor,
    x: Tensor,
    graphs: Tensor,
    weight: Tensor,
    sizes: Sequence[int],
) -> Tensor:
    num_graphs, width, out_width = weight.shape
    num_samples = _num_samples(x, sizes)
    meta = _tiles(x, sizes, width, out_width)
    tiles = _cdiv(width, meta["CHANNELS"])
    tiles *= _cdiv(out_width, meta["OUT_CHANNELS"])
    shares = _shares(num_graphs * tiles, num_samples * x.size(1))
    sums = weight.new_empty(shares, *weight.shape, dtype=torch.float)
    _run(
        "weight_gradient",
        (num_graphs * tiles * shares,),
        *(grad, x, graphs, sums, *_samples(x, num_graphs, sizes)),
        *(num_samples, num_graphs, x.size(1), width, out_width, shares),
        **meta,
    )
    return sums.sum(dim=0).to(weight.dtype)


def _run(
    name: str,
    programs: tuple[int] | Callable[[dict[str, int]], tuple[int]],
    first: Tensor,
    *arguments: Tensor | int | None,
    **meta: Any,
) -> None:
    from symgnn_pyg.ops.triton import code

    # A tuner keeps the arguments of a call in itself.
    with _LOCK, torch.cuda.device_of(first):
        getattr(code, name)[programs](first, *arguments, **meta)


def _tiles(
    x: Tensor, sizes: Sequence[int], width: int, out_width: int
) -> dict[str, Any]:
    precise = torch.backends.cuda.matmul.fp32_precision != "tf32"
    # Without tensor cores a thread needs more registers.
    small = precise and x.dtype == torch.float
    return {
        "PRECISION": "ieee" if precise else "tf32",
        "JOINTS": max(16, _next_power_of_2(max(sizes))),
        "CHANNELS": min(32 if small else 64, max(16, _next_power_of_2(width))),
        "OUT_CHANNELS": min(
            64 if small else 128, max(16, _next_power_of_2(out_width))
        ),
        "MOST_FRAMES": min(16, _next_power_of_2(x.size(1))),
    }


def _shares(programs: int, most: int) -> int:
    r"""The number of shares of a sum, each of which a program adds up. It
    depends only on the sizes, so that sums are the same each time."""
    return max(1, min(PROGRAMS // programs, most))


def _num_samples(x: Tensor, sizes: Sequence[int]) -> int:
    return x.size(0) // sizes[0] if len(sizes) == 1 else len(sizes)


def _samples(
    x: Tensor, num_graphs: int, sizes: Sequence[int]
) -> tuple[Tensor | None, int]:
    r"""The first row, the first entry of the graphs and the size of each
    sample, :math:`[N, 3]`; or, where it follows from that, one size."""
    if len(sizes) == 1:
        return None, sizes[0]
    stream = None
    if x.is_cuda:
        with torch.cuda.device_of(x):
            captured = torch.cuda.is_current_stream_capturing()
        if captured:
            raise RuntimeError(
                "The formula 'triton' reads the sizes of samples that differ "
                "from a table that a CUDA graph would not keep alive; capture "
                "batches of equal sizes, or use another formula"
            )
        stream = torch.cuda.current_stream(x.device)
    return _table(tuple(sizes), num_graphs, x.device, stream), 0


@lru_cache(maxsize=64)
def _table(
    sizes: tuple[int, ...], num_graphs: int, device: torch.device, stream: Any
) -> Tensor:
    rows = accumulate(sizes, initial=0)
    entries = accumulate((num_graphs * v**2 for v in sizes), initial=0)
    # On one stream the table is there before those who read it, and nobody
    # has to wait.
    table = torch.tensor([*zip(rows, entries, sizes, strict=False)])
    return table.to(device, non_blocking=True)


def _cdiv(number: int, divisor: int) -> int:
    return -(-number // divisor)


def _next_power_of_2(number: int) -> int:
    r"""The smallest power of two that is not less than a number."""
    return 1 << (number - 1).bit_length()


def _empty(
    x: Tensor, graphs: Tensor, weight: Tensor, needs: Sequence[bool]
) -> Gradients:
    r"""Room for the gradients that are needed."""
    grad_x, grad_graphs, grad_weight = (
        tensor.new_empty(tensor.shape if need else 0)
        for tensor, need in zip((x, graphs, weight), needs, strict=True)
    )
    return grad_x, grad_graphs, grad_weight


@_forward.register_fake
def _(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Tensor:
    return x.new_empty(*x.shape[:2], weight.size(2))


@_backward.register_fake
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
        # Derived once more are the gradients of the dense formula.
        inputs = [t.view_as(t) for t in ctx.saved_tensors]
        x, graphs, weight = inputs
        out = _dense(x, graphs, weight, ctx.sizes)
        wanted = [t for t, need in zip(inputs, needs, strict=True) if need]
        found = iter(torch.autograd.grad(out, wanted, grad, create_graph=True))
        return *(next(found) if need else None for need in needs), None
    grads = _backward(grad, *ctx.saved_tensors, ctx.sizes, needs)
    pairs = zip(grads, needs, strict=True)
    return *(g if need else None for g, need in pairs), None


_forward.register_autograd(_first_derivative, setup_context=_save)


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
        out: Tensor = _forward(x, graphs, weight, sizes)
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
    from symgnn_pyg.ops.triton import code

    return bool(code.INTERPRETED)


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _log(obstacle: str) -> None:
    _log_once(obstacle)


@lru_cache
def _log_once(obstacle: str) -> None:
    logging.getLogger("symgnn_pyg").warning(
        "The formula 'dense' takes the place of 'triton': %s", obstacle
    )
