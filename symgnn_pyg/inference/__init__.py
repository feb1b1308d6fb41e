from symgnn_pyg.inference.captured_network import CapturedNetwork
from symgnn_pyg.inference.ensemble import Ensemble
from symgnn_pyg.inference.export import export_onnx, export_program
from symgnn_pyg.inference.fold import fold
from symgnn_pyg.inference.fusion import fit_fusion_weights
from symgnn_pyg.inference.mirror_average import MirrorAverage
from symgnn_pyg.inference.pose_model import PoseModel
from symgnn_pyg.inference.pose_network import PoseNetwork
from symgnn_pyg.inference.pose_output import PoseOutput
from symgnn_pyg.inference.stream import Stream, StreamOutput

__all__ = [
    "CapturedNetwork",
    "Ensemble",
    "MirrorAverage",
    "PoseModel",
    "PoseNetwork",
    "PoseOutput",
    "Stream",
    "StreamOutput",
    "export_onnx",
    "export_program",
    "fit_fusion_weights",
    "fold",
]
