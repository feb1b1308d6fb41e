"""Runs the scripts of the examples within the test process."""

import runpy
import sys
import warnings
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run_script(name, *arguments):
    """Runs a script as if it were started with these arguments."""
    path = str(EXAMPLES / name)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(sys, "argv", [path, *map(str, arguments)])
        patch.setattr(warnings, "formatwarning", warnings.formatwarning)
        runpy.run_path(path, run_name="__main__")
