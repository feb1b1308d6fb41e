"""Recognise and predict live: play recordings through a stream.

    python examples/cmu_mocap.py                                # train first
    python examples/live.py --weights outputs
    python examples/live.py --weights ... --data cmu_mocap.zip  # real motion

Frames arrive at 25 per second, or with --fast without delay. For each frame the
screen shows the class probabilities and the error of the pose predicted for it
earlier. At the end it prints latency, errors, and how early actions are
recognised.
"""

import argparse
import math
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from shared import no_traceback
from torch import Tensor
from train_data import open_split

from symgnn_pyg.datasets import MotionDataset
from symgnn_pyg.files import expanded
from symgnn_pyg.inference import PoseModel, Stream, StreamOutput
from symgnn_pyg.metrics import MeanAngleError
from symgnn_pyg.nn import SymGNN

# Frames per second.
SECOND = 25
RATIOS = range(10, 101, 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    help_ = "'synthetic', or the folder or zip archive of CMU Mocap"
    parser.add_argument("--data", default="synthetic", help=help_)
    parser.add_argument(
        "--weights",
        help="the name of weights that ship with the library, or a folder "
        "written by save_pretrained (default: an untrained network)",
    )
    parser.add_argument("--fast", action="store_true", help="do not wait")
    parser.add_argument("--recordings", type=int, default=8)
    parser.add_argument("--output", type=expanded, default=Path("outputs"))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    with no_traceback():
        if args.recordings < 1:
            raise ValueError("--recordings must be at least 1")
        run(args)


def run(args: argparse.Namespace) -> None:
    test = open_split(args.data, "test", args.output, seed=args.seed)
    stream, future = load(args.weights, test)
    shape = test.skeleton.num_joints, future
    errors = {name: MeanAngleError(*shape) for name in ("network", "still")}
    right: dict[int, list[bool]] = {ratio: [] for ratio in RATIOS}
    seconds: list[float] = []
    for label, frames in recordings(test, args.recordings):
        stream.reset()
        # Predictions and frames of the last `future` steps.
        past: deque[tuple[Tensor, Tensor]] = deque(maxlen=future + 1)
        marks = {-(-len(frames) * ratio // 100): ratio for ratio in RATIOS}
        for count, frame in enumerate(frames, start=1):
            start = time.perf_counter()
            output = stream.step(frame)
            seconds.append(time.perf_counter() - start)
            assert output.probabilities is not None
            assert output.future is not None
            past.append((output.future, frame.unsqueeze(1)))
            error = math.nan
            if count > future:
                came = frames[count - future : count].transpose(0, 1)
                predicted, seen = past[0]
                errors["network"].update(predicted, came)
                errors["still"].update(seen.expand_as(came), came)
                pair = predicted[None], came[None]
                error = float(errors["network"].sample_values(*pair)[0, -1])
            if count in marks:
                top = int(output.probabilities.argmax())
                right[marks[count]].append(top == label)
            if sys.stdout.isatty() or count % SECOND == 0:
                title = f"{test.classes[label]}, {count}/{len(frames)} frames"
                show(title, test.classes, output, future, error)
            if not args.fast:
                passed = time.perf_counter() - start
                time.sleep(max(0.0, 1 / SECOND - passed))
    report(errors, right, seconds)


def load(weights: str | None, test: MotionDataset) -> tuple[Stream, int]:
    """A stream of the network, and how many frames it predicts."""
    if weights is None:
        print(
            "Note: without --weights the network is untrained and only guesses"
        )
        network = SymGNN.light(test.skeleton, test.num_classes)
        return Stream(network), network.num_future
    model = PoseModel.from_pretrained(weights)
    if not (model.classes and model.num_future):
        raise ValueError(
            f"{weights} must both recognise and predict, but has only one head"
        )
    if model.classes != test.classes or model.skeleton != test.skeleton:
        raise ValueError(
            f"{weights} was trained on {model.skeleton!r} and the classes "
            f"{', '.join(model.classes)}, not on those of --data"
        )
    return Stream(model), model.num_future


def recordings(test: MotionDataset, count: int) -> Iterator[tuple[int, Tensor]]:
    """Label and frames [T, V, C] of test recordings, alternating actions."""
    taken: Counter[int] = Counter()
    turns = []
    for i in np.unique(test.windows.sequence).tolist():
        label = int(test.store.labels[i])
        turns.append((taken[label], label, i))
        taken[label] += 1
    for _, label, i in sorted(turns)[:count]:
        yield label, test.store[i][0, :: test.stride]


def show(
    title: str,
    classes: list[str],
    output: StreamOutput,
    future: int,
    error: float,
) -> None:
    assert output.probabilities is not None
    late = future * 1000 // SECOND
    lines = [
        f"{title}, {int(output.num_seen)} of the window seen",
        f"error of the pose predicted {late} ms ago: {error:.3f}",
    ]
    top = int(output.probabilities.argmax())
    for i, p in enumerate(output.probabilities.tolist()):
        bar = "#" * round(40 * p)
        lines.append(f"{classes[i]:18} {bar:40} {p:4.0%} {'<' * (i == top)}")
    # On a terminal, each frame overwrites the previous one.
    terminal = sys.stdout.isatty()
    end = f"\x1b[{len(lines)}A" if terminal else "\n"
    clear = "\x1b[K\n" if terminal else "\n"
    print(*lines, sep=clear, end=clear + end, flush=True)


def report(
    errors: dict[str, MeanAngleError],
    right: dict[int, list[bool]],
    seconds: list[float],
) -> None:
    print("\x1b[J" if sys.stdout.isatty() else "")
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    print(
        f"{len(seconds)} frames; latency p50 {p50:.1f} ms, p99 {p99:.1f} ms "
        f"(a frame lasts {1000 // SECOND} ms)"
    )
    print("\nMean angle error of the predicted poses, radians")
    found = {name: metric.compute() for name, metric in errors.items()}
    future = len(found["network"])
    horizons = [h for h in (2, 4, 8, 10, 14, 25) if h <= future]
    print(f"{'':9}" + "".join(f"{h * 1000 // SECOND:>6} ms" for h in horizons))
    for name, values in found.items():
        cells = [f"{float(values[h - 1]):>9.3f}" for h in horizons]
        print(f"{name:9}{''.join(cells)}")
    print("\nActions recognised after a share of the recording")
    for ratio, hits in right.items():
        print(f"{ratio:>4}% {sum(hits) / len(hits):>6.0%} of {len(hits)}")


if __name__ == "__main__":
    main()
