from symgnn_pyg.errors import requires_extra

with requires_extra("vis"):
    from symgnn_pyg.visualization.animate_poses import animate_poses
    from symgnn_pyg.visualization.plot_actional_edges import plot_actional_edges
    from symgnn_pyg.visualization.plot_actional_map import plot_actional_map
    from symgnn_pyg.visualization.plot_adjacency import plot_adjacency
    from symgnn_pyg.visualization.plot_confusion import plot_confusion
    from symgnn_pyg.visualization.plot_error import plot_error
    from symgnn_pyg.visualization.plot_losses import plot_losses
    from symgnn_pyg.visualization.plot_poses import plot_poses
    from symgnn_pyg.visualization.plot_skeleton import plot_skeleton
    from symgnn_pyg.visualization.view_poses import view_poses

__all__ = [
    "animate_poses",
    "plot_actional_edges",
    "plot_actional_map",
    "plot_adjacency",
    "plot_confusion",
    "plot_error",
    "plot_losses",
    "plot_poses",
    "plot_skeleton",
    "view_poses",
]
