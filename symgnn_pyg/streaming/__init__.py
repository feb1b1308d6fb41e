from symgnn_pyg.streaming.fold import fold
from symgnn_pyg.streaming.on_windows import OnWindows
from symgnn_pyg.streaming.stream import Stream, StreamOutput

__all__ = ["OnWindows", "Stream", "StreamOutput", "fold"]
