from symgnn_pyg.streaming.fold import fold
from symgnn_pyg.streaming.stream import Stream, StreamOutput

__all__ = ["Stream", "StreamOutput", "fold"]
