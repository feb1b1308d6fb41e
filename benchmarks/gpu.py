"""What a GPU computes and how fast, on one page and within a time limit.

    python -m benchmarks gpu --out FOLDER
    python -m benchmarks gpu parity roofline --out FOLDER    # some of it
    python -m benchmarks gpu --device cpu --quick --out FOLDER

Runs other benchmarks, the most important ones first, each in a process of its
own, because some errors of a GPU break whatever its process does later. What
fails, or for which no time is left, loses only its own rows, which show the
error. FOLDER/gpu.md and FOLDER/gpu.json are complete after each benchmark.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

DTYPE = ("--dtype", "bfloat16")


class Stage(NamedTuple):
    """A benchmark and the most seconds that it may take."""

    name: str
    seconds: float
    arguments: tuple[str, ...]


STAGES = (
    Stage("parity", 120, ()),
    Stage("roofline", 120, DTYPE),
    Stage("train_step", 60, ("--tf32", "--eager")),
    Stage("inference", 45, (*DTYPE, "--eager")),
    Stage("streaming", 40, ()),
    # The example of training, with its own loader.
    Stage("train", 60, ("--precision", "bf16-mixed", "--workers", "4")),
    Stage("roofline", 150, (*DTYPE, "--shapes", "layers")),
    Stage("train_step", 60, ("--tf32", "--eager", "--network", "full")),
    Stage("roofline", 60, (*DTYPE, "--shapes", "small", "--eager")),
    Stage("inference", 45, ("--tf32", "--eager")),
    Stage("roofline", 60, ("--tf32", "--shapes", "layers", "--eager")),
    Stage("edges", 60, ()),
    Stage("train", 60, ("--deterministic",)),
    Stage("train_step", 240, ("--tf32",)),
    Stage("inference", 240, DTYPE),
)
SMALL = ("--channels", "4", "4", "--observed", "10", "--future", "2")
ROOT = Path(__file__).resolve().parents[1]
# A process that does not stop by itself is killed after this many seconds.
GRACE = 15.0


def main(
    arguments: list[str] | None = None, stages: Sequence[Stage] = STAGES
) -> None:
    names = list(dict.fromkeys(stage.name for stage in stages))
    parser = argparse.ArgumentParser(
        "python -m benchmarks gpu", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--device", default="cuda")
    parser.add_argument(
        "--quick", action="store_true", help="small shapes and few repeats"
    )
    parser.add_argument(
        "--seconds", type=float, default=450.0, help="for everything together"
    )
    args = parser.parse_args(arguments)
    if set(args.names) - set(names):
        parser.error(f"expected names from {', '.join(names)}")
    stages = [s for s in stages if not args.names or s.name in args.names]
    if args.quick:  # Each once, however long it takes.
        once: dict[str, Stage] = {}
        for stage in stages:
            once.setdefault(stage.name, stage._replace(seconds=math.inf))
        stages = list(once.values())
    args.out.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + args.seconds
    found: list[dict[str, Any]] = []
    for stage in stages:
        left = min(stage.seconds, end - time.monotonic())
        found.append(run(stage, left, args))
        write(args.out, found)
    failed = [stage["command"] for stage in found if stage["error"]]
    if failed:
        raise SystemExit("\n".join(["These failed:", *failed]))


def run(
    stage: Stage, seconds: float, args: argparse.Namespace
) -> dict[str, Any]:
    """Runs a benchmark, prints its output as it comes and returns all of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.json"
        command = command_of(stage, args)
        limits = ["--seconds", f"{seconds:.0f}", "--json", str(path)]
        if stage.name == "train":
            limits = ["--output", folder]
        shown = " ".join(["python", *command])
        print(f"\n{shown}", flush=True)
        if seconds <= 0:
            return {"command": shown, "output": "", "error": "no time was left"}
        start, lines = time.monotonic(), []
        # For scripts; the package need not be installed.
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        search_path = os.pathsep.join(filter(None, paths))
        with subprocess.Popen(
            [sys.executable, *command, *limits],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": search_path},
        ) as process:
            timer = threading.Timer(seconds + GRACE, process.kill)
            timer.start()
            for line in process.stdout or ():
                print(line, end="", flush=True)
                lines.append(line)
        timer.cancel()
        status = process.returncode
        return {
            "command": shown,
            "took": round(time.monotonic() - start, 1),
            "error": f"exit status {status}" if status else "",
            "output": "".join(lines),
            **(json.loads(path.read_text()) if path.exists() else {}),
        }


def command_of(stage: Stage, args: argparse.Namespace) -> list[str]:
    quick = ["--quick"] if args.quick else []
    if stage.name == "train":
        own = [*quick, *SMALL] if quick else ["--steps", "300"]
        return ["examples/train.py", *stage.arguments, *own]
    device = ["--device", args.device]
    if args.device == "cpu":
        device += ["--threads", "1"]
    return [
        *("-m", f"benchmarks.{stage.name}"),
        *(*stage.arguments, *device, *quick),
    ]


def write(folder: Path, found: list[dict[str, Any]]) -> None:
    """Writes what was found so far."""
    parts = ["# A GPU, measured by `python -m benchmarks gpu`"]
    for stage in found:
        parts.append(f"## `{stage['command']}`")
        if stage["error"]:
            parts.append(f"**Not complete: {stage['error']}.**")
        parts.append(stage["output"].strip())
    (folder / "gpu.md").write_text("\n\n".join(parts) + "\n")
    (folder / "gpu.json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
