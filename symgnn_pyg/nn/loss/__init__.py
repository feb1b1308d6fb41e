from symgnn_pyg.nn.loss.mgda import mgda_weight
from symgnn_pyg.nn.loss.symbiotic_loss import (
    SymbioticLoss,
    SymbioticLossOutput,
)

__all__ = ["SymbioticLoss", "SymbioticLossOutput", "mgda_weight"]
