from importlib import import_module
from types import ModuleType


def optional(module: str, package: str, what: str) -> ModuleType:
    r"""Imports a module that only some plots need.

    Args:
        module: The module.
        package: The package that provides it.
        what: The function that needs it.

    Raises:
        ImportError: If it is not installed; the message says how to install
            it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"'{what}' requires {package!r}; install it with "
            f"'pip install {package}'",
            name=error.name,
        ) from error
