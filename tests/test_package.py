"""The package as it is imported."""

import subprocess
import sys
from importlib import import_module

import pytest

import symgnn_pyg
from symgnn_pyg import Skeleton
from symgnn_pyg.errors import requires_extra
from symgnn_pyg.skeleton.layouts import LAYOUTS


def python(code):
    """Runs code in a new process, in which it must not use old names."""
    command = [sys.executable, "-W", "error::DeprecationWarning:__main__"]
    return subprocess.run(
        [*command, "-c", code], capture_output=True, text=True
    )


def test_a_new_process():
    """Imports submodules on first use, and finds the same fingerprints."""
    done = python(
        "import sys, symgnn_pyg as s\n"
        "from symgnn_pyg.skeleton.layouts import LAYOUTS\n"
        "assert 'symgnn_pyg.nn' not in sys.modules\n"
        "print(s.nn.JointGraphConv.__name__, s.nn.baselines.STGCN.__name__)\n"
        "print(*(s.Skeleton.get(name).fingerprint for name in LAYOUTS))\n"
        "s.nn.SymGNN.light('cmu26', 3, num_observed=20)\n"
        "late = 'export', 'layouts', 'streaming', 'ops.triton.kernels'\n"
        "assert not {f'symgnn_pyg.{each}' for each in late} & {*sys.modules}"
    )
    assert done.returncode == 0, done.stderr
    names, fingerprints = done.stdout.splitlines()
    assert names == "JointGraphConv STGCN"
    assert list(map(int, fingerprints.split())) == [
        Skeleton.get(name).fingerprint for name in LAYOUTS
    ]


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


EXTRAS = {
    "metrics": ("torchmetrics", "train"),
    "training": ("lightning", "train"),
    "visualization": ("matplotlib", "vis"),
}


def test_extras():
    """A missing one is named, and only visualization requires "vis"."""
    # Torchmetrics asks for the version of matplotlib before it imports it.
    done = python(
        f"""
import importlib.metadata as metadata, runpy, sys
from importlib import import_module
for room, (package, _) in {EXTRAS!r}.items():
    sys.modules[package] = None
    try:
        import_module(f"symgnn_pyg.{{room}}")
    except ModuleNotFoundError as error:
        print(error)
    del sys.modules[package]
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
    assert done.stdout.splitlines()[: len(EXTRAS)] == [
        f"This requires {package!r}, which is not installed; run: pip install "
        f'"symgnn_pyg[{extra}]"'
        for package, extra in EXTRAS.values()
    ]


def test_other_errors_pass():
    with (
        pytest.raises(ModuleNotFoundError, match=r"symgnn_pyg\.nothing"),
        requires_extra("train"),
    ):
        import_module("symgnn_pyg.nothing")
    with pytest.raises(ImportError, match="broken"), requires_extra("train"):
        raise ImportError("broken")
