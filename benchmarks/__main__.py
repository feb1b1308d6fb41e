"""Runs benchmarks one after another and collects their tables.

    python -m benchmarks --all                        # every benchmark
    python -m benchmarks operators ragged --quick     # some of them
    python -m benchmarks --all --markdown docs/benchmarks.md
    python -m benchmarks gpu --out gpu                # what a GPU can do

Each runs in its own process, once for each number of threads in --threads; the
operators also run with the tuned allocator and in bfloat16.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks import gpu

BENCHMARKS = (
    "operators",
    "roofline",
    "edges",
    "blocks",
    "agim",
    "decoder",
    "ragged",
    "train_step",
    "inference",
    "recognition",
    "streaming",
    "data",
    "memory",
    "parity",
    "fuzz",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    args = parser.parse_args()
    names = BENCHMARKS if args.all else args.names
    unknown = set(names) - set(BENCHMARKS)
    if not names or unknown:
        parser.error(f"expected --all or names from {', '.join(BENCHMARKS)}")
    for name in names:
        pages = []
        for settings in all_settings(name, args.threads, args.quick):
            command = [f"benchmarks.{name}", *settings]
            print(f"\npython -m {' '.join(command)}", flush=True)
            pages += [f"`python -m {' '.join(command)}`\n", run(command)]
        if args.markdown is not None:
            rewrite(args.markdown, name, "\n".join(pages))


def rewrite(path: Path, name: str, page: str) -> None:
    """Replaces the section of one benchmark and keeps the others."""
    text = path.read_text() if path.exists() else "# Benchmarks\n"
    head, *sections = text.split("\n## ")
    found = dict(section.split("\n", 1) for section in sections)
    found[name] = page
    pages = {name: text.strip() for name, text in found.items()}
    # Other sections, such as that on GPUs, come last.
    order = [name for name in BENCHMARKS if name in pages]
    order += [name for name in pages if name not in BENCHMARKS]
    parts = [f"## {name}\n\n{pages[name]}\n" for name in order]
    path.write_text("\n".join([f"{head.rstrip()}\n", *parts]))


def all_settings(name: str, threads: list[int], quick: bool) -> list[list[str]]:
    if name == "fuzz":
        # The tests run more of them.
        return [["--cases", "20"]] if quick else [[]]
    if quick:
        return [["--quick", "--threads", str(threads[0])]]
    if name in ("data", "memory", "parity", "streaming"):
        threads = threads[:1]
    found = [["--threads", str(count)] for count in threads]
    if name == "operators":
        found += [[*each, "--allocator", "tuned"] for each in found]
        found.append([*found[0], "--dtype", "bfloat16"])
    return found


def run(command: list[str]) -> str:
    """Runs a benchmark, prints its output as it comes and returns it."""
    lines = []
    with subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode != 0:
        raise SystemExit(
            f"python -m {' '.join(command)} failed: {process.returncode}"
        )
    return "".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["gpu"]:
        gpu.main(sys.argv[2:])
    else:
        main()
