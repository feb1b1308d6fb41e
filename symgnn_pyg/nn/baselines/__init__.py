r"""Networks that :class:`~symgnn_pyg.nn.SymGNN` is compared with. Each takes
the same batches and returns the same :class:`~symgnn_pyg.nn.SymGNNOutput`, so
losses, metrics and training work for all of them.
"""

from symgnn_pyg.nn.baselines.agcn import AGCN
from symgnn_pyg.nn.baselines.as_gcn import ASGCN
from symgnn_pyg.nn.baselines.ctr_gcn import CTRGCN
from symgnn_pyg.nn.baselines.hcn import HCN
from symgnn_pyg.nn.baselines.linear_regression import LinearRegression
from symgnn_pyg.nn.baselines.ltd import LTD
from symgnn_pyg.nn.baselines.residual_gru import ResidualGRU
from symgnn_pyg.nn.baselines.st_gcn import STGCN
from symgnn_pyg.nn.baselines.zero_velocity import ZeroVelocity

__all__ = [
    "AGCN",
    "ASGCN",
    "CTRGCN",
    "HCN",
    "LTD",
    "STGCN",
    "LinearRegression",
    "ResidualGRU",
    "ZeroVelocity",
]
