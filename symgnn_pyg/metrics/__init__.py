from symgnn_pyg.deprecated import accept_old_names
from symgnn_pyg.errors import requires_extra

with requires_extra("train"):
    from symgnn_pyg.metrics.mean_angle_error import MeanAngleError
    from symgnn_pyg.metrics.mpjpe import MPJPE
    from symgnn_pyg.metrics.pck import PCK
    from symgnn_pyg.metrics.top_k import TopKAccuracy

__all__ = ["MPJPE", "PCK", "MeanAngleError", "TopKAccuracy"]

accept_old_names(globals())
