"""Writes the API reference: one entry per public name, that is, per name in an
`__all__`. `conf.py` calls it before each build.
"""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from typing import NamedTuple

import pictures

import symgnn_pyg

# Left out of one-line summaries.
ASIDES = (
    r",?\s+(of|from|in)\s+the\s+`\".*?`_\s+paper",
    r",\s+as\s+(in\s+)?Fig\.\s+\d+(\s+of\s+the\s+paper)?",
    r"\s+\((functional\s+name|section)[^)]*\)",
)


class Page(NamedTuple):
    r"""A page of the reference.

    Args:
        title: The module that lists the names.
        module: The module that users import them from.
        names: The names.
    """

    title: str
    module: str
    names: list[str]

    @property
    def full_names(self) -> list[str]:
        return [f"{self.module}.{name}" for name in self.names]


def pages() -> list[Page]:
    """One page per module with `__all__`. If a package re-exports the names of
    its modules, as `nn` does, each module gets a page and the package none.
    """
    found = {"symgnn_pyg": list(symgnn_pyg.__all__)}
    for info in pkgutil.walk_packages(symgnn_pyg.__path__, "symgnn_pyg."):
        try:
            module = importlib.import_module(info.name)
        except ModuleNotFoundError as error:
            # Kernels, which are not public, need it; few systems have it.
            if error.name != "triton":
                raise
            continue
        if hasattr(module, "__all__"):
            found[info.name] = sorted(module.__all__)
    made = []
    for title, names in found.items():
        parent = title.rpartition(".")[0]
        passed_on = set(names) <= set(found.get(parent, ()))
        listed = {
            name
            for child, own in found.items()
            if child.startswith(f"{title}.")
            for name in own
        }
        left = [name for name in names if name not in listed]
        if left:
            made.append(Page(title, parent if passed_on else title, left))
    return made


def spellings() -> dict[str, str]:
    """Maps each way to write a public name or member to its full name: in
    full, without the package, without the module if that is unambiguous, and by
    the file that defines it.
    """
    found: dict[str, str] = {}
    short = [name for page in pages() for name in page.names]
    for page in pages():
        for name, full in zip(page.names, page.full_names, strict=True):
            value = value_of(full)
            ways = [full, full.removeprefix("symgnn_pyg.")]
            if short.count(name) == 1:
                ways.append(name)
            if name in symgnn_pyg.__all__:
                ways.append(f"symgnn_pyg.{name}")
            if callable(value):
                ways.append(f"{value.__module__}.{value.__qualname__}")
            members = _members(value) if inspect.isclass(value) else []
            for end in ("", *(f".{member}" for member in members)):
                found |= {f"{way}{end}": f"{full}{end}" for way in ways}
    return found


def write(folder: Path) -> None:
    """Writes all pages. Unchanged files are not touched."""
    folder.mkdir(exist_ok=True)
    for page in pages():
        _write(folder / f"{page.title}.rst", render(page))
    titles = "".join(f"   {page.title}\n" for page in pages())
    _write(folder / "index.rst", f"{INDEX}{titles}")


INDEX = """\
API reference
=============

All public names, by the module to import them from.

.. toctree::

"""


def render(page: Page) -> str:
    """The text of a page."""
    values = dict(zip(page.names, map(value_of, page.full_names), strict=True))
    lines = [page.title, "=" * len(page.title), ""]
    lines += [f".. module:: {page.title}", "   :no-index-entry:", ""]
    lines += [inspect.getdoc(importlib.import_module(page.title)) or "", ""]
    if page.module != page.title:
        lines += [f"Imported from ``{page.module}``.", ""]
    lines += [f".. currentmodule:: {page.module}", ""]
    described = [name for name in values if callable(values[name])]
    if len(described) > 1:
        lines += [f"- :obj:`{n}`: {_summary(values[n])}" for n in described]
    for name, value in values.items():
        lines += ["", *_entry(name, value)]
    return "\n".join([*lines, ""])


def _summary(value: object) -> str:
    """The first sentence of a docstring."""
    text = (inspect.getdoc(value) or "").partition("\n\n")[0]
    for aside in ASIDES:
        text = re.sub(aside, "", text, flags=re.DOTALL)
    # Marks within :obj:`...` do not end it.
    first = re.match(r"(?s)(?:`.*?`|.)*?(?=[.:]\s|[.:,]?$)", text)
    return " ".join(first[0].split()) if first else ""


def _entry(name: str, value: object) -> list[str]:
    if inspect.isfunction(value):
        return [*_thumbnail(name), f".. autofunction:: {name}"]
    if not inspect.isclass(value):
        entry = [f".. data:: {name}"]
        # Long values would fill pages.
        shown = len(repr(value)) <= 300
        return [*entry, f"   :value: {value!r}"] if shown else entry
    entry = [f".. autoclass:: {name}"]
    # The fields of a named tuple are documented as its arguments.
    members = [] if issubclass(value, tuple) else _members(value)
    return [*entry, f"   :members: {', '.join(members)}"] if members else entry


def _thumbnail(name: str) -> list[str]:
    """The first picture that a page draws with a function, if any."""
    for page in pictures.PAGES:
        for block in pictures.code_blocks(pictures.HERE / page):
            saved = re.search(r'"(\w+\.(svg|gif))"', block.code)
            if saved and re.search(rf"\b{name}\(", block.code):
                return [
                    f".. image:: ../pictures/{saved[1]}",
                    f"   :alt: Drawn with {name}",
                    f"   :target: ../{page.removesuffix('.md')}.html",
                    "   :class: thumbnail",
                    "",
                ]
    return []


def _members(value: type) -> list[str]:
    """The documented members of a class and its bases in this package. Members
    inherited from other libraries are documented there.
    """
    return sorted(
        {
            name
            for base in value.__mro__
            if base.__module__.startswith("symgnn_pyg.")
            for name, member in vars(base).items()
            if (inspect.isroutine(member) or inspect.isdatadescriptor(member))
            and member.__doc__
            and not name.startswith("_")
        }
    )


def value_of(full: str) -> object:
    """The object with a full name."""
    module, _, name = full.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
