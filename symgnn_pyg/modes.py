"""Evaluation mode for the duration of a block."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

from torch.nn import Module

# Held while modes are switched, since threads may share the modules.
SWITCHED = RLock()


@contextmanager
def evaluation(*modules: Module) -> Iterator[None]:
    r"""Switches modules to evaluation mode for the duration of a block, and
    then each of their submodules back to its own mode. Threads take turns if
    there is anything to switch.
    """
    with SWITCHED:
        modes = {m: m.training for module in modules for m in module.modules()}
        if any(modes.values()):
            for module in modules:
                module.eval()
            try:
                yield
            finally:
                for module, mode in modes.items():
                    module.training = mode
            return
    yield
