from torch import Tensor


def samples(x: Tensor, num_nodes: int, what: str) -> Tensor:
    r"""Views node-major features :math:`[N \cdot V, *]` as
    :math:`[N, V, *]`.

    Raises:
        ValueError: If the rows are no multiple of :math:`V`.
    """
    if x.size(0) % num_nodes != 0:
        raise ValueError(
            f"'x' has {x.size(0)} rows (shape {list(x.shape)}), which is no "
            f"multiple of the skeleton's {num_nodes} {what}"
        )
    return x.reshape(x.size(0) // num_nodes, num_nodes, *x.shape[1:])
