"""Runs benchmarks one after another and collects their tables.

    python -m benchmarks --all                        # every benchmark
    python -m benchmarks operators ragged --quick     # some of them
    python -m benchmarks --all --page docs/benchmarks.md
    python -m benchmarks gpu --out gpu                # what a GPU can do

Each runs in its own process, once for each number of threads in --threads; the
operators also run in bfloat16. With --page, tables also go to a page and to one
JSON file per benchmark in a folder named like it, beside a chart of its ratios.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import chart, gpu
from benchmarks.report import to_markdown

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
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog="python -m benchmarks.NAME --help has further options.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS)
    )
    parser.add_argument("--all", action="store_true", help="run all of them")
    parser.add_argument(
        "--quick", action="store_true", help="small shapes and few repeats"
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--page", type=Path, metavar="FILE")
    args = parser.parse_args()
    names = BENCHMARKS if args.all else args.names
    unknown = set(names) - set(BENCHMARKS)
    if not names or unknown:
        parser.error(f"expected --all or names from {', '.join(BENCHMARKS)}")
    for name in names:
        found = []
        for settings in all_settings(name, args.threads, args.quick):
            command = [f"benchmarks.{name}", *settings]
            print(f"\npython -m {' '.join(command)}", flush=True)
            found += run(command)
        if args.page is not None and found:
            record(args.page, name, found)


def record(path: Path, name: str, found: list[dict[str, Any]]) -> None:
    """Writes the tables of one benchmark to its file and section of a page.
    Other sections stay, and so do remarks below the tables.
    """
    folder = path.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps(found, indent=1) + "\n"
    (folder / f"{name}.json").write_text(content)
    chart.write(folder / f"{name}.json")
    text = path.read_text() if path.exists() else "# Benchmarks\n"
    head, *sections = text.split("\n## ")
    pages = {
        title: section.strip()
        for title, section in (each.split("\n", 1) for each in sections)
    }
    remarks = f"{pages.get(name, '')}\n".rpartition("|\n")[2].strip()
    tables = "\n\n".join(map(to_markdown, found))
    pages[name] = f"{tables}\n\n{remarks}".strip()
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
        found.append([*found[0], "--dtype", "bfloat16"])
    return found


def run(command: list[str]) -> list[dict[str, Any]]:
    """Runs a benchmark and returns its tables, if it has any."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.json"
        # The fuzzer only prints.
        kept = [] if "benchmarks.fuzz" in command else ["--json", str(path)]
        done = subprocess.run([sys.executable, "-m", *command, *kept])
        if done.returncode != 0:
            raise SystemExit(
                f"python -m {' '.join(command)} failed: {done.returncode}"
            )
        return [json.loads(path.read_text())] if path.exists() else []


if __name__ == "__main__":
    if sys.argv[1:2] == ["gpu"]:
        gpu.main(sys.argv[2:])
    else:
        main()
