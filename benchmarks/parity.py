"""Every formula on a device against float64 on the CPU, forward and backward.

    python -m benchmarks.parity
    python -m benchmarks.parity --device cuda

Errors are relative, |found - exact| / |exact|, where exact is computed from the
same rounded inputs; that of the gradients is the largest of all inputs. Each
case runs twice: first with deterministic algorithms and new memory filled with
NaN, which exposes results that are never written.
"""

import copy
import itertools
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch_geometric.typing import WITH_TORCH_SCATTER

from benchmarks import edges
from benchmarks.report import Table, arguments, use_tf32, write
from benchmarks.rivals.graph_mix import Problem
from benchmarks.rivals.sym_gnn import set_in_motion
from symgnn_pyg import Skeleton, ops
from symgnn_pyg.nn import SymbioticLoss, SymGNN
from symgnn_pyg.ops.edge_mix import _mix
from symgnn_pyg.ops.edge_sums import sum_segments

# The largest errors of an operator; a network has hundreds.
BOUNDS = {"float32": 1e-5, "TF32": 2e-3, "float16": 3e-3, "bfloat16": 2e-2}
IN_NETWORK = 10
SHAPE, QUICK = (8, 25, 75, 64, 128, 5), (3, 5, 7, 6, 8, 2)
UNEQUAL = (18, 1, 25)
EDGES, QUICK_EDGES = (8, 207, 1_515, 12, 32, 64, 4), (2, 5, 12, 3, 4, 6, 2)


class Case(NamedTuple):
    """A function on a device, and what it should compute.

    Args:
        found: The function.
        exact: The function on the CPU in float64.
        inputs: Their inputs, all of which are differentiated.
        scale: What to multiply the bound by.
    """

    found: Callable[..., Tensor]
    exact: Callable[..., Tensor]
    inputs: Sequence[Tensor]
    scale: int = 1


def main() -> None:
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    args = arguments(__doc__, on_gpu=True)
    device = args.device
    warnings.filterwarnings("ignore", ".*deterministic")
    table = Table(
        "Relative errors", ["what", "precision", "value", "gradients", "bound"]
    )
    precisions = [
        name for name in BOUNDS if device.type == "cuda" or name != "TF32"
    ]
    for (name, case), precision in itertools.product(
        cases(device, args.quick).items(), precisions
    ):
        use_tf32(precision == "TF32")
        bound = case.scale * BOUNDS[precision]
        dtype = (
            torch.float if precision == "TF32" else getattr(torch, precision)
        )
        work = partial(errors, case, dtype, device, bound)
        found = table.attempt([name, precision], work)
        if found is not None:
            table.add(name, precision, *found, bound)
    use_tf32(False)
    same = Table(
        "Two training steps of the light network", ["what", "measured"]
    )
    what = "parameters with the same bits after deterministic steps"
    equal = same.attempt([what], partial(count_equal, device))
    if equal is not None:
        same.add(what, equal)
    write(args, [table, same])


def cases(device: torch.device, quick: bool) -> dict[str, Case]:
    x, graphs, weight = Problem.random(*(QUICK if quick else SHAPE))
    edge_problem = edges.Problem.random(*(QUICK_EDGES if quick else EDGES))
    _, edge_index, edge_weight, edge_mixing = edge_problem
    unequal = [torch.rand(v, v) / v for v in UNEQUAL for _ in graphs]
    rows = torch.randn(sum(UNEQUAL), *x.shape[1:])
    pairs = torch.randn(2, len(x) // 5, 5, x.size(-1))
    found = {}
    names = [
        name
        for name in ops.formula_names()
        if name != "triton" or device.type == "cuda"
    ]
    for name in names:
        found[f"graph_mix, {name}"] = Case(
            partial(by_formula, name, mix),
            partial(by_formula, "reference", mix),
            [x, weight, *graphs],
        )
    for name in names:
        found[f"graph_mix of unequal sizes, {name}"] = Case(
            partial(by_formula, name, mix_unequal),
            partial(by_formula, "reference", mix_unequal),
            [rows, weight, *unequal],
        )
    segments = partial(along_edges, edge_index.to(device))
    exact = partial(naive_edges, edge_index)
    inputs = [edge_problem.x, edge_weight, edge_mixing]
    found["edge_mix, torch"] = Case(
        edges.without_torch_scatter(segments), exact, inputs
    )
    if WITH_TORCH_SCATTER:
        found["edge_mix, torch-scatter"] = Case(segments, exact, inputs)
    found["pair_mean"] = Case(ops.pair_mean, pair_mean, [*pairs])
    model = network(quick).eval()
    motion = torch.randn(4 * 26, model.num_observed, 3)
    found["light network"] = Case(
        partial(run_network, copy.deepcopy(model).to(device)),
        partial(run_network, model.double()),
        [motion],
        IN_NETWORK,
    )
    return found


def errors(
    case: Case, dtype: torch.dtype, device: torch.device, bound: float
) -> tuple[float, float]:
    """The errors of the value and of the gradients."""
    inputs = [tensor.to(dtype) for tensor in case.inputs]
    exact = derivatives(case.exact, [t.double() for t in inputs], dtype)
    there = [tensor.to(device) for tensor in inputs]
    each = []
    for poisoned in (True, False):
        with poison(poisoned):
            found = derivatives(case.found, there, dtype)
        pairs = zip(found, exact, strict=True)
        norms = [(f.cpu().double() - e).norm() / e.norm() for f, e in pairs]
        each.append(torch.stack(norms).detach())
    worst = torch.stack(each).amax(dim=0)
    value, gradients = float(worst[0]), float(worst[1:].max())
    if not (value <= bound and gradients <= bound):  # NaN is neither.
        raise AssertionError(
            f"errors of {value:.1e} and {gradients:.1e}, expected at most "
            f"{bound:.1e}"
        )
    return value, gradients


def derivatives(
    function: Callable[..., Tensor],
    inputs: Sequence[Tensor],
    dtype: torch.dtype,
) -> list[Tensor]:
    """The value and the gradients of all inputs."""
    leaves = [tensor.detach().requires_grad_() for tensor in inputs]
    out = function(*leaves)
    towards = torch.linspace(-1, 1, out.numel()).to(dtype).view(out.shape)
    return [out, *torch.autograd.grad(out, leaves, towards.to(out))]


@contextmanager
def poison(enabled: bool) -> Iterator[None]:
    """Fills new memory with NaN."""
    torch.use_deterministic_algorithms(enabled, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def by_formula(
    name: str, function: Callable[..., Tensor], *tensors: Tensor
) -> Tensor:
    with ops.use(name):
        return function(*tensors)


def mix(x: Tensor, weight: Tensor, *graphs: Tensor) -> Tensor:
    return ops.graph_mix(x, graphs, weight)


def mix_unequal(x: Tensor, weight: Tensor, *matrices: Tensor) -> Tensor:
    num_graphs = len(weight)
    graphs = [matrices[k::num_graphs] for k in range(num_graphs)]
    return ops.graph_mix(x, graphs, weight)


def along_edges(edge_index: Tensor, x: Tensor, e: Tensor, w: Tensor) -> Tensor:
    """As on a GPU."""
    return _mix(sum_segments, x, edge_index, e, w)


def naive_edges(edge_index: Tensor, x: Tensor, e: Tensor, w: Tensor) -> Tensor:
    return edges.naive(x, edge_index, e, w)


def pair_mean(a: Tensor, b: Tensor) -> Tensor:
    """All pairs at once."""
    pairs = (a.unsqueeze(2) + b.unsqueeze(1)).relu()
    others = 1 - torch.eye(a.size(1), dtype=a.dtype)
    mean = torch.einsum("nijd,ij->nid", pairs, others)
    return mean / (a.size(1) - 1)


def network(quick: bool) -> SymGNN:
    torch.manual_seed(0)
    small = {"channels": (4, 4), "strides": (1, 2), "fusion": (1,)}
    model = SymGNN.light(
        Skeleton.get("cmu26"),
        8,
        num_observed=10 if quick else 50,
        num_future=10,
        **(small if quick else {}),
    )
    set_in_motion(model.prediction_head)
    return model


def run_network(model: SymGNN, x: Tensor) -> Tensor:
    half = x.dtype in (torch.bfloat16, torch.float16)
    with torch.autocast(x.device.type, x.dtype if half else None, half):
        out = model(x.float() if half else x)
    assert out.logits is not None
    assert out.future is not None
    return torch.cat([out.logits.flatten(), out.future.flatten()])


def count_equal(device: torch.device) -> str:
    """Two runs of two steps from the same seed."""
    torch.use_deterministic_algorithms(True)
    try:
        first, second = (trained(device) for _ in range(2))
    finally:
        torch.use_deterministic_algorithms(False)
    pairs = zip(first, second, strict=True)
    equal = sum(torch.equal(*pair) for pair in pairs)
    if equal < len(first):
        raise AssertionError(f"only {equal} of {len(first)}")
    return f"{equal} of {len(first)}"


def trained(device: torch.device) -> list[Tensor]:
    model = network(quick=True).to(device)
    optimizer = torch.optim.AdamW(model.parameters())
    x = torch.randn(4 * 26, 10, 3, device=device)
    future = torch.randn(4 * 26, 10, 3, device=device)
    y = torch.arange(4, device=device)
    for _ in range(2):
        optimizer.zero_grad()
        SymbioticLoss("mgda")(model(x), y, future).total.backward()
        optimizer.step()
    return list(model.parameters())


if __name__ == "__main__":
    main()
