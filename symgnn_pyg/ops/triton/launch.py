"""Launches the kernels with their arguments and tile sizes."""

# mypy: disable-error-code="import-not-found, import-untyped"
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from threading import Lock
from typing import Any

import torch
from torch import Tensor
from triton import cdiv, next_power_of_2

from symgnn_pyg.ops.triton import kernels

# The number of programs that keeps a large GPU busy.
PROGRAMS = 512
_LOCK = Lock()


def mix(
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
        frame_tiles = cdiv(num_frames, meta["FRAMES"])
        out_tiles = cdiv(out_width, meta["OUT_CHANNELS"])
        return (_num_samples(x, sizes) * frame_tiles * out_tiles,)

    _run(
        kernels.mix,
        programs,
        *(x, graphs, weight, out, *_samples(x, num_graphs, sizes)),
        *(num_graphs, num_frames, width, out_width, *weight.stride()),
        TRANSPOSED=transposed,
        **_tiles(x, sizes, width, out_width),
    )
    return out


def graph_gradient(
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
        kernels.graph_gradient,
        (programs * shares,),
        *(grad, x, weight, sums, *_samples(x, num_graphs, sizes)),
        *(num_graphs, x.size(1), width, out_width, graphs.numel(), shares),
        # Wider tiles take more registers than there are.
        **_tiles(x, sizes, width, min(64, out_width)),
    )
    return sums.sum(dim=0).to(graphs.dtype)


def weight_gradient(
    grad: Tensor,
    x: Tensor,
    graphs: Tensor,
    weight: Tensor,
    sizes: Sequence[int],
) -> Tensor:
    num_graphs, width, out_width = weight.shape
    num_samples = _num_samples(x, sizes)
    meta = _tiles(x, sizes, width, out_width)
    tiles = cdiv(width, meta["CHANNELS"])
    tiles *= cdiv(out_width, meta["OUT_CHANNELS"])
    shares = _shares(num_graphs * tiles, num_samples * x.size(1))
    sums = weight.new_empty(shares, *weight.shape, dtype=torch.float)
    _run(
        kernels.weight_gradient,
        (num_graphs * tiles * shares,),
        *(grad, x, graphs, sums, *_samples(x, num_graphs, sizes)),
        *(num_samples, num_graphs, x.size(1), width, out_width, shares),
        **meta,
    )
    return sums.sum(dim=0).to(weight.dtype)


def _run(
    kernel: Any,
    programs: tuple[int] | Callable[[dict[str, int]], tuple[int]],
    first: Tensor,
    *arguments: Tensor | int | None,
    **meta: Any,
) -> None:
    # Triton's tuner stores the arguments of a call: one call at a time.
    with _LOCK, torch.cuda.device_of(first):
        kernel[programs](first, *arguments, **meta)


def _tiles(
    x: Tensor, sizes: Sequence[int], width: int, out_width: int
) -> dict[str, Any]:
    precise = torch.backends.cuda.matmul.fp32_precision != "tf32"
    # Without tensor cores a thread needs more registers.
    small = precise and x.dtype == torch.float
    return {
        "PRECISION": "ieee" if precise else "tf32",
        "JOINTS": max(16, next_power_of_2(max(sizes))),
        "CHANNELS": min(32 if small else 64, max(16, next_power_of_2(width))),
        "OUT_CHANNELS": min(
            64 if small else 128, max(16, next_power_of_2(out_width))
        ),
        "MOST_FRAMES": min(16, next_power_of_2(x.size(1))),
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
    # The kernels that read the table run after this copy on the same stream,
    # so the host need not wait.
    table = torch.tensor([*zip(rows, entries, sizes, strict=False)])
    return table.to(device, non_blocking=True)
