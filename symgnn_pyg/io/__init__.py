from symgnn_pyg.io.source import Source

__all__ = ["Source"]
