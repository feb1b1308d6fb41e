from symgnn_pyg.nn.conv.actional_graph_conv import ActionalGraphConv
from symgnn_pyg.nn.conv.difference import Difference
from symgnn_pyg.nn.conv.graph_mix_conv import GraphMixConv
from symgnn_pyg.nn.conv.hop_edges import hop_edges
from symgnn_pyg.nn.conv.jgtc_block import JGTCBlock
from symgnn_pyg.nn.conv.joint_graph_conv import JointGraphConv
from symgnn_pyg.nn.conv.part_graph_conv import PartGraphConv
from symgnn_pyg.nn.conv.pgtc_block import PGTCBlock
from symgnn_pyg.nn.conv.structural_graph_conv import StructuralGraphConv
from symgnn_pyg.nn.conv.temporal_conv import TemporalConv

__all__ = [
    "ActionalGraphConv",
    "Difference",
    "GraphMixConv",
    "JGTCBlock",
    "JointGraphConv",
    "PGTCBlock",
    "PartGraphConv",
    "StructuralGraphConv",
    "TemporalConv",
    "hop_edges",
]
