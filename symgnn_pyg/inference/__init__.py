from symgnn_pyg.inference.export import export_onnx, export_program
from symgnn_pyg.inference.fold import fold
from symgnn_pyg.inference.pose_model import PoseModel
from symgnn_pyg.inference.stream import Stream, StreamOutput

__all__ = [
    "PoseModel",
    "Stream",
    "StreamOutput",
    "export_onnx",
    "export_program",
    "fold",
]
