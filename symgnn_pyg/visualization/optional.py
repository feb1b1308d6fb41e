from importlib import import_module
from types import ModuleType


def optional(module: str, package: str, what: str) -> ModuleType:
    r"""Imports a module that only some pictures need.

    Args:
        module: The module.
        package: The package that it comes with.
        what: What needs it, for the message.

    Raises:
        ImportError: If it is not installed; the message names the package.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"'{what}' needs the package {package}: pip install {package}",
            name=error.name,
        ) from error
