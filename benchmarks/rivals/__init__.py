"""The rivals of the paper's tables, by name.

Each is built by ``(skeleton, num_classes, observed, future, in_channels)`` and
takes the batches that :class:`~symgnn_pyg.nn.SymGNN` takes.
"""

from benchmarks.rivals.agcn import AGCN
from benchmarks.rivals.as_gcn import ASGCN
from benchmarks.rivals.hcn import HCN
from benchmarks.rivals.ltd import LTD
from benchmarks.rivals.residual_gru import ResidualGRU
from benchmarks.rivals.rival import Rival
from benchmarks.rivals.st_gcn import STGCN
from benchmarks.rivals.zero_velocity import ZeroVelocity

RECOGNITION: dict[str, type[Rival]] = {
    "ST-GCN": STGCN,
    "HCN": HCN,
    "2s-AGCN, one stream": AGCN,
    "AS-GCN": ASGCN,
}
PREDICTION: dict[str, type[Rival]] = {
    "ZeroV": ZeroVelocity,
    "Res-uns": ResidualGRU,
    "LTD": LTD,
}
RIVALS = {**RECOGNITION, **PREDICTION}
