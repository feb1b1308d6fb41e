from symgnn_pyg.nn.models.actional_inference import ActionalGraphInference
from symgnn_pyg.nn.models.actional_propagation import ActionalPropagation
from symgnn_pyg.nn.models.bones_to_joints import BonesToJoints
from symgnn_pyg.nn.models.direct_decoder import DirectDecoder
from symgnn_pyg.nn.models.dual_symgnn import DualSymGNN, DualSymGNNOutput
from symgnn_pyg.nn.models.explainable import Explainable
from symgnn_pyg.nn.models.linear_forecast import LinearForecast
from symgnn_pyg.nn.models.multi_scale_gcn import MultiScaleGCN
from symgnn_pyg.nn.models.prediction_head import PredictionHead
from symgnn_pyg.nn.models.recognition_head import RecognitionHead
from symgnn_pyg.nn.models.symgnn import SymGNN, SymGNNOutput

__all__ = [
    "ActionalGraphInference",
    "ActionalPropagation",
    "BonesToJoints",
    "DirectDecoder",
    "DualSymGNN",
    "DualSymGNNOutput",
    "Explainable",
    "LinearForecast",
    "MultiScaleGCN",
    "PredictionHead",
    "RecognitionHead",
    "SymGNN",
    "SymGNNOutput",
]
