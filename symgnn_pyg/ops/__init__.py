from symgnn_pyg.ops.difference import difference
from symgnn_pyg.ops.dispatch import graph_mix, kernels, use

__all__ = ["difference", "graph_mix", "kernels", "use"]
