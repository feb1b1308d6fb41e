"""Equation (1) for all pairs of joints: once per joint, or once per pair.

    python -m benchmarks.agim

The naive form concatenates the features of every ordered pair of joints,
applies f_e to each and averages over the partners. PyG's message passing
applies the first layer once per joint instead. `ActionalPropagation`, here
without f_v, never materialises the pairs. All have the same weights and are
checked to agree in outputs and gradients, in double precision, before they are
timed.
"""

import argparse
import statistics
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Identity, Linear, Module, ReLU, Sequential

from benchmarks.measure import Run, interleaved, peak_bytes, ratios
from benchmarks.report import Table, arguments, write
from symgnn_pyg.nn import ActionalPropagation

TARGETS = {"Linear": 12.0, "ReLU": 2.5}  # Speed-up in training.


class Shape(NamedTuple):
    samples: int
    joints: int
    channels: int


class Naive(Module):
    """The literal form of equation (1), with the weights of `core`."""

    def __init__(self, core: ActionalPropagation, edges: Tensor) -> None:
        super().__init__()
        channels = core.lin_out.in_features
        first = Linear(2 * channels, channels)
        with torch.no_grad():
            weights = [core.lin_i.weight, core.lin_j.weight]
            first.weight.copy_(torch.cat(weights, dim=1))
            first.bias.copy_(core.lin_i.bias)
        second = Linear(channels, channels)
        second.load_state_dict(core.lin_out.state_dict())
        layers = [first, BatchNorm1d(channels), ReLU(), second]
        if core.norm_out is not None:
            layers += [BatchNorm1d(channels), ReLU()]
        self.f_e = Sequential(*layers)
        self.source, self.target = edges

    def forward(self, h: Tensor, num_joints: int) -> Tensor:
        pairs = torch.cat([h[self.target], h[self.source]], dim=-1)
        q = self.f_e(pairs)
        q = q.view(h.size(0), num_joints - 1, h.size(1))
        return q.mean(dim=1)


def all_pairs(samples: int, joints: int) -> Tensor:
    """The edges between all pairs of joints of a sample, sorted by target."""
    source, target = (~torch.eye(joints, dtype=torch.bool)).nonzero().t()
    start = joints * torch.arange(samples).repeat_interleave(len(source))
    edges = torch.stack([target, source]).repeat(1, samples)
    return edges + start


def candidates(
    shape: Shape, last: str, dtype: torch.dtype
) -> tuple[Mapping[str, Run], Mapping[str, Run]]:
    """Forward passes and training steps, after a check that they agree."""
    samples, joints, channels = shape
    core = ActionalPropagation(channels, 0.0, plain_last=last == "Linear")
    core.joint_mlp = Identity()
    edges = all_pairs(samples, joints)
    naive = Naive(core, edges)
    forward: dict[str, Callable[[], Tensor]] = {
        "naive": lambda: naive(h, joints),
        "messages": lambda: core(h, edge_index=edges),
        "ours": lambda: core(h, joints),
    }

    def step(run: Callable[[], Tensor]) -> tuple[Tensor, Tensor | None]:
        for tensor in [h, *naive.parameters(), *core.parameters()]:
            tensor.grad = None
        out = run()
        out.backward(grad)
        return out.detach(), h.grad

    training: dict[str, Run] = {
        name: partial(step, run) for name, run in forward.items()
    }
    h, grad = torch.randn(2, samples * joints, channels).double()
    h.requires_grad_()
    naive.double(), core.double()
    for name in ("messages", "ours"):
        torch.testing.assert_close(training[name](), training["naive"]())
    h, grad = h.detach().to(dtype).requires_grad_(), grad.to(dtype)
    naive.to(dtype), core.to(dtype)
    return forward, training


def compare(args: argparse.Namespace, shapes: list[Shape]) -> list[Table]:
    repeats = 3 if args.quick else 30
    times = Table(
        "Time of the naive form in ms, and other forms as a ratio to it",
        ["f_e ends with", "N V D", "pass", "naive", "messages", "ours",
         "target", "met"],
    )  # fmt: skip
    rows = []
    for last, target in TARGETS.items():
        for shape in shapes:
            runs = candidates(shape, last, getattr(torch, args.dtype))
            for name, group in zip(("forward", "training"), runs, strict=True):
                seconds = interleaved(group, repeats)
                ratio = ratios(seconds, "naive")
                goal, met = "", ""
                if name == "training":
                    goal = f"1/{target:g}"
                    met = "yes" if ratio["ours"][1] <= 1 / target else "no"
                naive = 1e3 * statistics.median(seconds["naive"])
                times.add(
                    last, f"{shape.samples} {shape.joints} {shape.channels}",
                    name, naive, ratio["messages"], ratio["ours"], goal, met,
                )  # fmt: skip
                peaks = {key: peak_bytes(run) for key, run in group.items()}
                rows.append((last, shape, name, peaks))
    print()
    memory = Table(
        "Peak memory of the naive form in MB, and others as a ratio to it",
        ["f_e ends with", "N V D", "pass", "naive", "messages", "ours"],
    )
    for last, shape, name, peaks in rows:
        base = peaks["naive"]
        memory.add(
            last, f"{shape.samples} {shape.joints} {shape.channels}", name,
            base / 2**20, peaks["messages"] / base, peaks["ours"] / base,
        )  # fmt: skip
    return [times, memory]


def main() -> None:
    args = arguments(__doc__)
    shapes = [Shape(32, 26, 128), Shape(16, 25, 128)]
    if args.quick:
        shapes = [Shape(4, 10, 32)]
    write(args, compare(args, shapes))


if __name__ == "__main__":
    main()
