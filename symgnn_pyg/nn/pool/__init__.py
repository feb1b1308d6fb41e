from symgnn_pyg.nn.pool.joint_to_part import JointToPart
from symgnn_pyg.nn.pool.part_to_joint import PartToJoint
from symgnn_pyg.nn.pool.temporal_pool import TemporalPool

__all__ = ["JointToPart", "PartToJoint", "TemporalPool"]
