"""What all benchmarks share: their arguments, tables and files.

An error in one row does not lose the others: the row shows it, and the
benchmark fails at its end. Once the time of --seconds is up, the same happens
to all rows that are left.
"""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import CPU, Result, met


def arguments(
    doc: str | None, on_gpu: bool = False, **own: int | list[str]
) -> argparse.Namespace:
    """Parses and applies the settings that all benchmarks share, and a
    benchmark's :obj:`own`: each a number or a list of names to choose from.
    Benchmarks that also run :obj:`on_gpu` have a device, TF32 and a way to
    leave out what takes minutes to compile.
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="small shapes and few repeats"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--dtype", choices=["float32", "bfloat16"], default="float32"
    )
    if on_gpu:
        parser.add_argument("--device", type=_device, default=CPU)
        parser.add_argument(
            "--tf32", action="store_true", help="use TF32 for float32 products"
        )
        parser.add_argument(
            "--eager",
            action="store_true",
            help="leave out what takes minutes to compile",
        )
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument(
        "--seconds", type=float, help="stop then, and keep the rows so far"
    )
    for name, values in own.items():
        if isinstance(values, int):
            parser.add_argument(f"--{name}", type=int, default=values)
        else:
            parser.add_argument(f"--{name}", choices=values, default=values[0])
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    if args.seconds:
        signal.signal(signal.SIGALRM, _Attempts.stop)
        signal.setitimer(signal.ITIMER_REAL, args.seconds)
    precision = args.dtype
    if on_gpu and args.device.type == "cuda":
        torch.cuda.set_device(args.device)
        use_tf32(args.tf32)
        if args.tf32 and precision == "float32":
            precision = args.dtype_name = "TF32"
    print(f"{machine(args.device if on_gpu else CPU)}; {precision}")
    return args


def use_tf32(enabled: bool) -> None:
    """Whether a GPU may round the factors of float32 products to TF32."""
    precision = "tf32" if enabled else "ieee"
    torch.backends.cuda.matmul.fp32_precision = precision
    torch.backends.cudnn.conv.fp32_precision = precision  # type: ignore[attr-defined]


def _device(text: str) -> torch.device:
    kind = text.partition(":")[0]
    if kind not in ("cpu", "cuda"):
        raise argparse.ArgumentTypeError(f"expected cpu or cuda, got {text!r}")
    return torch.device(text)


def machine(device: torch.device = CPU) -> str:
    """The processor, its cores and the versions that matter; or the GPU and
    its versions.
    """
    if device.type == "cuda":
        import triton

        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv"]
        driver = subprocess.check_output(query, text=True).split()[-1]
        return (
            f"{torch.cuda.get_device_name(device)}, driver {driver}, CUDA "
            f"{torch.version.cuda}, torch {torch.__version__}, Triton "
            f"{triton.__version__}"
        )
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"model name\s*: (.*)", info.read_text())
        name = found[1] if found else name
    capability = torch.backends.cpu.get_cpu_capability()
    return (
        f"{name} ({capability}), {torch.get_num_threads()} of "
        f"{os.cpu_count()} cores, torch {torch.__version__}, Python "
        f"{platform.python_version()}"
    )


class _Attempts:
    """Attempts under way, and whether the time for more is up."""

    running = 0
    stopped = False

    @classmethod
    def stop(cls, *_: object) -> None:
        cls.stopped = True
        # Only within an attempt does a row report the error.
        if cls.running:
            raise TimeoutError("no time was left")


class Table:
    """Rows of one benchmark, as Markdown and as JSON.

    Args:
        title: What the rows compare.
        columns: The names of the columns.
    """

    def __init__(self, title: str, columns: Iterable[str]) -> None:
        self.title = title
        self.columns = list(columns)
        self.rows: list[dict[str, Any]] = []
        print(f"\n### {title}\n")
        print("\n".join(_head(self.columns)), flush=True)

    def add(self, *cells: object) -> None:
        """Adds and prints a row."""
        self.rows.append(dict(zip(self.columns, cells, strict=True)))
        print(_line(cells), flush=True)

    def attempt(
        self, cells: Sequence[object], work: Callable[[], Result]
    ) -> Result | None:
        """Returns the result of :obj:`work`, or, if it fails, adds and prints a
        row that begins with these cells and shows the error.
        """
        _Attempts.running += 1
        try:
            if _Attempts.stopped:
                raise TimeoutError("no time was left")
            result = work()
            if torch.cuda.is_initialized():
                torch.cuda.synchronize()  # Errors of kernels come late.
        except Exception as error:
            text = " ".join(f"{type(error).__name__}: {error}".split())
            text = text[:300].replace("|", "/")
            row = dict(zip(self.columns, cells, strict=False))
            self.rows.append({**row, "error": text})
            print(_line([*cells, text]), flush=True)
            return None
        finally:
            _Attempts.running -= 1
        return result

    def attempts(
        self,
        cells: Sequence[object],
        work: Mapping[str, Callable[[], Result]],
    ) -> dict[str, Result]:
        """The results, by name, of what did not fail. A row with an error
        begins with these cells and the name.
        """
        found: dict[str, Result] = {}
        for name, each in work.items():
            result = self.attempt([*cells, name], each)
            if result is not None:
                found[name] = result
        return found


def targets(rows: Iterable[tuple[str, float, float]]) -> Table:
    """What was measured, beside the most that it should be."""
    table = Table("Targets", ["what", "measured", "target", "met"])
    for what, measured, target in rows:
        table.add(what, measured, target, met(measured, target))
    return table


def write(args: argparse.Namespace, tables: Iterable[Table]) -> None:
    """Writes tables to the file given by :obj:`--json`, if any, and exits with
    an error if a row has one.
    """
    tables = list(tables)
    if args.json is not None:
        found = {
            "command": command(),
            "date": date.today().isoformat(),
            "commit": commit(),
            "machine": machine(getattr(args, "device", CPU)),
            "dtype": getattr(args, "dtype_name", args.dtype),
            "threads": args.threads,
            "tables": [
                {"title": t.title, "columns": t.columns, "rows": t.rows}
                for t in tables
            ],
        }
        args.json.write_text(json.dumps(found, indent=2) + "\n")
    failed = sum("error" in row for table in tables for row in table.rows)
    if failed:
        raise SystemExit(f"{failed} rows failed")


def to_markdown(found: Mapping[str, Any]) -> str:
    """What a file of :func:`write` holds, as a page shows it."""
    where = [found["date"], found["machine"], found["dtype"]]
    if found["commit"]:
        where.insert(1, f"commit {found['commit']}")
    parts = [f"`{found['command']}`", ", ".join(where)]
    for table in found["tables"]:
        rows = [_line(row.values()) for row in table["rows"]]
        parts += [f"### {table['title']}"]
        parts += ["\n".join([*_head(table["columns"]), *rows])]
    return "\n\n".join(parts)


def command() -> str:
    """The command of this process, without where it writes."""
    name, *words = sys.argv
    for option in ("--json", "--seconds"):
        if option in words:
            at = words.index(option)
            del words[at : at + 2]
    return " ".join(["python -m", f"benchmarks.{Path(name).stem}", *words])


def commit() -> str | None:
    """The commit of this repository, if git knows it, and whether the code
    differs from it.
    """
    if shutil.which("git") is None:
        return None
    found, changed = (
        subprocess.run(
            ["git", *words],
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
        ).stdout.strip()
        for words in (
            ["rev-parse", "--short", "HEAD"],
            ["status", "--porcelain", "--", "symgnn_pyg", "benchmarks"],
        )
    )
    return f"{found} with changes" if changed else found or None


def _head(columns: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(_text, cells))} |"


def _text(cell: object) -> str:
    if isinstance(cell, tuple | list):
        low, median, high = cell
        return f"{median:.2f} ({low:.2f}-{high:.2f})"
    if isinstance(cell, float):
        return f"{cell:.3f}" if abs(cell) >= 1e-3 else f"{cell:.1e}"
    return str(cell)
