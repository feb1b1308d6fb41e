"""The package as it is imported."""

import subprocess
import sys
from importlib import import_module

import pytest

import symgnn_pyg
from symgnn_pyg.errors import requires_extra


def python(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )


def test_submodules_on_first_use():
    done = python(
        "import sys, symgnn_pyg as s\n"
        "assert 'symgnn_pyg.nn' not in sys.modules\n"
        "print(s.nn.JointGraphConv.__name__, s.nn.baselines.STGCN.__name__)"
    )
    assert done.stdout == "JointGraphConv STGCN\n", done.stderr


def test_dir_names_what_there_is():
    for module in (symgnn_pyg, symgnn_pyg.nn):
        names = dir(module)
        assert set(module.__all__) <= set(names)
        assert all(hasattr(module, name) for name in names)
    assert {"nn", "datasets", "Skeleton"} <= set(dir(symgnn_pyg))
    assert "baselines" in dir(symgnn_pyg.nn)


def test_unknown_names():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        symgnn_pyg.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("room", "package", "extra"),
    [
        ("metrics", "torchmetrics", "train"),
        ("training", "lightning", "train"),
        ("visualization", "matplotlib", "vis"),
    ],
)
def test_a_missing_extra_is_named(room, package, extra):
    done = python(
        f"import sys; sys.modules[{package!r}] = None; import symgnn_pyg.{room}"
    )
    assert done.stderr.endswith(
        f"ModuleNotFoundError: This requires {package!r}, which is not "
        f'installed; run: pip install "symgnn_pyg[{extra}]"\n'
    )


def test_only_visualization_requires_its_extra():
    # Torchmetrics asks for the version of matplotlib before it imports it.
    done = python(
        """
import importlib.metadata as metadata, runpy, sys
version = metadata.version
def find(name):
    if name in ("matplotlib", "plotly"):
        raise metadata.PackageNotFoundError(name)
    return version(name)
metadata.version = find
sys.modules["matplotlib"] = sys.modules["plotly"] = None
import symgnn_pyg.inference, symgnn_pyg.metrics, symgnn_pyg.training
sys.argv[1:] = ["--help"]
runpy.run_module("symgnn_pyg", run_name="__main__")
"""
    )
    assert done.returncode == 0, done.stderr


def test_other_errors_pass():
    with (
        pytest.raises(ModuleNotFoundError, match=r"symgnn_pyg\.nothing"),
        requires_extra("train"),
    ):
        import_module("symgnn_pyg.nothing")
    with pytest.raises(ImportError, match="broken"), requires_extra("train"):
        raise ImportError("broken")
