"""Draws the pictures of the pages by running their code, and writes what the
code prints under it.

    python docs/pictures.py                   # all pages with pictures
    python docs/pictures.py get_started.md    # one

Whatever .svg or .gif files a page saves go to docs/pictures/. Pages train for a
few steps, to be quick; for the pictures they train longer.
"""

import io
import os
import re
import shutil
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import matplotlib.pyplot as plt
from PIL import Image, ImageSequence

HERE = Path(__file__).parent
# The pages with pictures: a line of their code, and its replacement.
PAGES = {
    "get_started.md": ("steps = 3", "steps = 500"),
    "own_models.md": ("steps = 3", "steps = 120"),
    "exponential_maps.md": ("", ""),
    "paper_in_code.md": ("", ""),
}


# A block of code, and what it prints: exactly, or with other numbers on another
# machine or after another number of steps.
BLOCK = re.compile(
    r"```python\n(.*?)```\n(?:\n```text( approximate)?\n(.*?)```\n)?",
    re.DOTALL,
)


class Block(NamedTuple):
    """A Python block of a page.

    Args:
        code: The code, after empty lines so that line numbers in errors are
            those of the page.
        output: What the page says that it prints.
        approximate: Whether numbers in the output may differ.
    """

    code: str
    output: str
    approximate: bool


def code_blocks(page: Path) -> list[Block]:
    """The Python blocks of a page."""
    text = page.read_text()
    return [
        Block(
            "\n" * text.count("\n", 0, found.start(1)) + found[1],
            found[3] or "",
            found[2] is not None,
        )
        for found in BLOCK.finditer(text)
    ]


def run(
    page: Path,
    quick: str = "",
    thorough: str = "",
    num_blocks: int | None = None,
) -> tuple[ModuleType, list[str]]:
    """Runs the code blocks of a page, or the first of them, in order, as one
    module. Returns the module, and what each block printed.
    """
    module = ModuleType(f"page_{page.stem}")
    # PyG looks up the module in which a layer is defined.
    sys.modules[module.__name__] = module
    outputs = []
    for block in code_blocks(page)[:num_blocks]:
        code = block.code.replace(quick, thorough) if quick else block.code
        with redirect_stdout(io.StringIO()) as output:
            exec(compile(code, str(page), "exec"), module.__dict__)
        outputs.append(output.getvalue())
    return module, outputs


def write_outputs(page: Path, outputs: list[str]) -> None:
    """Writes what each code block printed under it."""
    remaining = iter(outputs)

    def with_output(found: re.Match[str]) -> str:
        block = f"```python\n{found[1]}```\n"
        if output := next(remaining):
            block += f"\n```text{found[2] or ''}\n{output}```\n"
        return block

    page.write_text(BLOCK.sub(with_output, page.read_text()))


def shrink(gif: Path, width: int = 800) -> None:
    """Shrinks an animation to the size of a page."""
    with Image.open(gif) as animation:
        size = width, animation.height * width // animation.width
        milliseconds = animation.info["duration"]
        first, *others = (
            frame.convert("RGB")
            .resize(size, Image.Resampling.LANCZOS)
            .quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
            for frame in ImageSequence.Iterator(animation)
        )
    first.save(
        gif,
        save_all=True,
        append_images=others,
        duration=milliseconds,
        loop=0,
    )


def main() -> None:
    plt.switch_backend("Agg")
    # The same picture gives the same file.
    plt.rcParams["svg.hashsalt"] = "pictures"
    os.environ["SOURCE_DATE_EPOCH"] = "0"
    (HERE / "pictures").mkdir(exist_ok=True)
    for name in sys.argv[1:] or PAGES:
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            _, outputs = run(HERE / name, *PAGES.get(name, ()))
            write_outputs(HERE / name, outputs)
            for gif in Path(folder).glob("*.gif"):
                shrink(gif)
            for picture in Path(folder).glob("*.[sg]*"):
                shutil.copy(picture, HERE / "pictures")
            os.chdir(HERE)
        print(f"{name}: {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
