"""Configures Sphinx, which `make docs` runs."""

import sys
from logging import getLogger
from pathlib import Path

from docutils import nodes
from numpy.typing import ArrayLike as NumpyArrayLike
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import stringify_annotation

from symgnn_pyg import __version__
from symgnn_pyg.typing import GraphLike, SkeletonLike
from symgnn_pyg.visualization.arrays import ArrayLike

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import api_pages  # noqa: E402

api_pages.write(HERE / "api")
NAMES = api_pages.spellings()

project = "symgnn_pyg"
release = __version__
html_title = f"symgnn_pyg {release}"
html_theme = "furo"
pygments_dark_style = "monokai"
html_static_path = ["static"]
html_favicon = "static/favicon.svg"
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
exclude_patterns = ["_build"]
# Commands must stay as they are, so that they can be pasted.
smartquotes = False
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx-mathjax-offline",
]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
# There may be no results yet. `suppress_warnings` cannot name this warning.
getLogger("sphinx.sphinx.directives.other").addFilter(
    lambda record: getattr(record, "subtype", "") != "empty_glob"
)

autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_custom_sections = ["Shapes"]
napoleon_numpy_docstring = False
toc_object_entries_show_parents = "hide"
python_maximum_signature_line_length = 72
python_use_unqualified_type_names = True
# As in PyG, :obj: marks values and arguments as well as names. Names of other
# libraries are not linked, so that a build needs no network.
nitpick_ignore_regex = [
    ("py:obj", "(?s).*"),
    ("py:.*", r"(?!symgnn_pyg).*"),
    (
        "py:class",
        r"symgnn_pyg\..*\.(AverageNetwork|Batchable|Layer|Network|Result)",
    ),
]


def link_names(app: Sphinx, doctree: nodes.document) -> None:
    """Links inline code that is a public name."""
    for literal in list(doctree.findall(nodes.literal)):
        if isinstance(literal.parent, nodes.reference | pending_xref):
            continue
        full = NAMES.get(literal.astext().removesuffix("()"))
        if full is not None:
            link = pending_xref(
                "",
                refdomain="py",
                reftype="obj",
                reftarget=full,
                refdoc=app.env.docname,
                refwarn=True,
            )
            literal.replace_self(link)
            link += literal


def find_name(
    app: Sphinx,
    env: BuildEnvironment,
    node: pending_xref,
    content: nodes.TextElement,
) -> nodes.Node | None:
    """Resolves names that are not written as they are imported."""
    full = NAMES.get(node.get("reftarget", ""))
    if node.get("refdomain") != "py" or full is None:
        return None
    return env.domains.python_domain.resolve_xref(
        env, node["refdoc"], app.builder, "obj", full, node, content
    )


# Types by their names, instead of the dozen types that they stand for.
ALIASES = {
    stringify_annotation(alias, "smart"): name
    for alias, name in (
        (ArrayLike, "ArrayLike"),
        (NumpyArrayLike, "ArrayLike"),
        (SkeletonLike, "SkeletonLike"),
        (GraphLike, "GraphLike"),
    )
}


def name_types(*event: object) -> tuple[str | None, str | None]:
    """Shortens the types in the signature of a function or class."""
    signature, returned = event[-2:]
    for long, short in ALIASES.items():
        if isinstance(signature, str):
            signature = signature.replace(long, short)
        if isinstance(returned, str):
            returned = returned.replace(long, short)
    return signature, returned


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-signature", name_types)
    app.connect("doctree-read", link_names)
    app.connect("missing-reference", find_name)
