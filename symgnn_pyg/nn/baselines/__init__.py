"""The rivals of the paper's tables, by name.

Each is built by ``(skeleton, num_classes, observed, future, in_channels)`` and
takes the batches that :class:`~symgnn_pyg.nn.SymGNN` takes.
"""

from symgnn_pyg.nn.baselines.agcn import AGCN
from symgnn_pyg.nn.baselines.as_gcn import ASGCN
from symgnn_pyg.nn.baselines.baseline import Baseline
from symgnn_pyg.nn.baselines.hcn import HCN
from symgnn_pyg.nn.baselines.ltd import LTD
from symgnn_pyg.nn.baselines.residual_gru import ResidualGRU
from symgnn_pyg.nn.baselines.st_gcn import STGCN
from symgnn_pyg.nn.baselines.zero_velocity import ZeroVelocity

RECOGNITION: dict[str, type[Baseline]] = {
    "ST-GCN": STGCN,
    "HCN": HCN,
    "2s-AGCN, one stream": AGCN,
    "AS-GCN": ASGCN,
}
PREDICTION: dict[str, type[Baseline]] = {
    "ZeroV": ZeroVelocity,
    "Res-uns": ResidualGRU,
    "LTD": LTD,
}
RIVALS = {**RECOGNITION, **PREDICTION}
