from symgnn_pyg.data.sequence_store import MotionSequence, SequenceStore
from symgnn_pyg.data.skeleton_data import SkeletonData

__all__ = ["MotionSequence", "SequenceStore", "SkeletonData"]
