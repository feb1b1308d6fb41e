from symgnn_pyg.nn.loss.mgda import mgda_weight
from symgnn_pyg.nn.loss.pose_loss import PoseLoss
from symgnn_pyg.nn.loss.symbiotic_loss import (
    SymbioticLoss,
    SymbioticLossOutput,
)

__all__ = ["PoseLoss", "SymbioticLoss", "SymbioticLossOutput", "mgda_weight"]
