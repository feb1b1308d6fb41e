"""One frame of a live stream: the light network on the shapes of CMU Mocap.

    python -m benchmarks.streaming --threads 1
    python -m benchmarks.streaming --device cuda

Prints the latency of `Stream.step`, with 50 observed and 10 predicted frames,
beside that of calling the network, or the same network on the field's
operators, on the whole window for each frame. A stream caches no features: the
actional graphs are inferred from the whole window, so a new frame changes the
features of all others. It is faster because its weights are folded, and on a
GPU because it replays a CUDA graph. Frames come from the memory of the CPU.
"""

import itertools
import statistics
from functools import partial

import torch
from torch import Tensor

from benchmarks.measure import Run, agree, interleaved, ratios, tried
from benchmarks.report import Table, arguments, targets, write
from benchmarks.rivals.sym_gnn import FUTURE, OBSERVED, light_networks
from symgnn_pyg.inference import Stream

OURS, RIVAL = "Stream.step", "the network on the field's operators"
CAPTURED = f"{OURS}, CUDA graph"
# The period at 30 frames per second, in milliseconds; the ratio to RIVAL.
LATENCY, RATIO = 33.0, 0.2


def main() -> None:
    args = arguments(__doc__, on_gpu=True)
    device = args.device
    model, rival = light_networks(device)
    stream = Stream(model)
    captured = Stream(model, cuda_graph=True)
    num_joints = model.skeleton.num_joints
    motion = 0.1 * torch.randn(2 * OBSERVED, num_joints, 3)
    motion = motion.cumsum(dim=0)
    for frame in motion:
        output = stream.step(frame)
    window = motion[-OBSERVED:].transpose(0, 1).contiguous()  # [V, T, C]
    window = window.to(device)
    with torch.inference_mode():
        expected = rival(window)
    assert output.probabilities is not None
    assert output.future is not None
    bound = 1e-5 if device.type == "cpu" else 1e-3
    agree({OURS: output.future}, expected.future, bound)
    agree(
        {OURS: output.probabilities}, expected.logits.softmax(dim=-1)[0], bound
    )

    runs = {
        OURS: stepping(stream, motion),
        CAPTURED: stepping(captured, motion),
        "the network": on_window(model, window),
        RIVAL: on_window(rival, window),
    }
    repeats, seconds = (10, 10.0) if args.quick else (300, 120.0)
    table = Table(
        f"A frame of one body: {num_joints} joints, {OBSERVED} observed and "
        f"{FUTURE} predicted frames",
        ["candidate", "p50 ms", "p99 ms", f"ratio to {RIVAL}"],
    )
    if device.type == "cpu":
        del runs[CAPTURED]  # On a CPU it equals the other stream.
    candidates = table.attempts(
        [], {name: partial(tried, run) for name, run in runs.items()}
    )
    # In a live stream, the previous frame has left the caches long ago.
    times = interleaved(candidates, repeats, seconds, device, warm=False)
    against = ratios(times, RIVAL)
    for name, values in times.items():
        table.add(name, *percentiles(values), against[name])
    aims = []
    for name in filter(times.__contains__, (OURS, CAPTURED)):
        _, p99 = percentiles(times[name])
        aims += [
            (f"p99 of a frame of {name}, ms", p99, LATENCY),
            (f"{name} to {RIVAL}", against[name][1], RATIO),
        ]
    write(args, [table, targets(aims)])


def stepping(stream: Stream, motion: Tensor) -> Run:
    frames = itertools.cycle(motion)
    return lambda: stream.step(next(frames))


def on_window(model: torch.nn.Module, window: Tensor) -> Run:
    @torch.inference_mode()
    def run() -> object:
        return model(window)

    return run


def percentiles(seconds: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return 1e3 * cuts[49], 1e3 * cuts[98]


if __name__ == "__main__":
    main()
