from symgnn_pyg.data.batch_of_bodies import batch_of_bodies
from symgnn_pyg.data.motion_sequence import MotionSequence
from symgnn_pyg.data.open_or_write import open_or_write
from symgnn_pyg.data.prepare import Recording, prepare
from symgnn_pyg.data.sequence_store import SequenceStore
from symgnn_pyg.data.shard_sampler import ShardSampler
from symgnn_pyg.data.skeleton_data import SkeletonData, bone_features
from symgnn_pyg.data.skeleton_loader import SkeletonLoader

__all__ = [
    "MotionSequence",
    "Recording",
    "SequenceStore",
    "ShardSampler",
    "SkeletonData",
    "SkeletonLoader",
    "batch_of_bodies",
    "bone_features",
    "open_or_write",
    "prepare",
]
