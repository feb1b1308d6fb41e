from symgnn_pyg.data.sequence_store import Sequence, SequenceStore
from symgnn_pyg.data.skeleton_data import SkeletonData

__all__ = ["Sequence", "SequenceStore", "SkeletonData"]
