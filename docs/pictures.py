"""Draws the pictures of the pages by running their code.

    python docs/pictures.py                   # all pages
    python docs/pictures.py get_started.md    # one

Whatever .png or .gif files a page saves go to docs/pictures/. Pages train for a
few steps, to be quick; for the pictures they train longer.
"""

import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

import matplotlib.pyplot as plt
from PIL import Image, ImageSequence

HERE = Path(__file__).parent
# The pages with pictures: a line of their code, and its replacement.
PAGES = {
    "get_started.md": ("steps = 3", "steps = 500"),
    "own_models.md": ("steps = 3", "steps = 120"),
    "exponential_maps.md": ("", ""),
}


def code_blocks(page: Path) -> list[str]:
    """The Python blocks of a page, each padded with empty lines so that line
    numbers in errors are those of the page.
    """
    text = page.read_text()
    found = re.finditer(r"```python\n(.*?)```", text, re.DOTALL)
    return ["\n" * text.count("\n", 0, m.start(1)) + m[1] for m in found]


def run(
    page: Path,
    quick: str = "",
    thorough: str = "",
    num_blocks: int | None = None,
) -> ModuleType:
    """Runs the code blocks of a page, or the first of them, in order, as one
    module, and returns it.
    """
    module = ModuleType(f"page_{page.stem}")
    # PyG looks up the module in which a layer is defined.
    sys.modules[module.__name__] = module
    for block in code_blocks(page)[:num_blocks]:
        code = block.replace(quick, thorough) if quick else block
        exec(compile(code, str(page), "exec"), module.__dict__)
    return module


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
    (HERE / "pictures").mkdir(exist_ok=True)
    for name in sys.argv[1:] or PAGES:
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            run(HERE / name, *PAGES[name])
            for gif in Path(folder).glob("*.gif"):
                shrink(gif)
            for picture in Path(folder).glob("*.[pg]*"):
                shutil.copy(picture, HERE / "pictures")
            os.chdir(HERE)
        print(f"{name}: {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
