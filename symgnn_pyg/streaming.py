r"""The old name of :mod:`symgnn_pyg.inference`."""

from symgnn_pyg.deprecated import moved

__getattr__ = moved(__name__)
