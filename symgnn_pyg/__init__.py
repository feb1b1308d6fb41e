r"""Symbiotic graph neural networks for skeletons in motion, on PyTorch
Geometric.
"""

from symgnn_pyg.skeleton import Skeleton

__version__ = "0.1.0"

__all__ = ["Skeleton", "__version__"]
