from symgnn_pyg.nn.models.actional_inference import ActionalGraphInference
from symgnn_pyg.nn.models.actional_propagation import ActionalPropagation
from symgnn_pyg.nn.models.multi_scale_gcn import MultiScaleGCN
from symgnn_pyg.nn.models.prediction_head import PredictionHead
from symgnn_pyg.nn.models.recognition_head import RecognitionHead
from symgnn_pyg.nn.models.symgnn import SymGNN, SymGNNOutput

__all__ = [
    "ActionalGraphInference",
    "ActionalPropagation",
    "MultiScaleGCN",
    "PredictionHead",
    "RecognitionHead",
    "SymGNN",
    "SymGNNOutput",
]
