from symgnn_pyg.ops.checks import check_edge_index
from symgnn_pyg.ops.difference import difference
from symgnn_pyg.ops.edge_mix import edge_mix
from symgnn_pyg.ops.graph_mix import (
    formula_names,
    graph_mix,
    stack_graphs,
    use,
)
from symgnn_pyg.ops.interpolate_frames import (
    interpolate_frames,
    stretch_frames,
)
from symgnn_pyg.ops.pair_mean import pair_mean
from symgnn_pyg.ops.recompute import recompute

__all__ = [
    "check_edge_index",
    "difference",
    "edge_mix",
    "formula_names",
    "graph_mix",
    "interpolate_frames",
    "pair_mean",
    "recompute",
    "stack_graphs",
    "stretch_frames",
    "use",
]
