"""Evaluation mode for the duration of a block."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch.nn import Module


@contextmanager
def evaluation(*modules: Module) -> Iterator[None]:
    r"""Switches modules to evaluation mode for the duration of a block, and
    then each of their submodules back to its own mode.
    """
    modes = {m: m.training for module in modules for m in module.modules()}
    for module in modules:
        module.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
