from symgnn_pyg.visualization.plot_actional_edges import plot_actional_edges
from symgnn_pyg.visualization.plot_poses import plot_poses

__all__ = ["plot_actional_edges", "plot_poses"]
