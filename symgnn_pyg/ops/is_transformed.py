from torch import Tensor
from torch.autograd import forward_ad


def is_transformed(*tensors: Tensor | None) -> bool:
    r"""Whether a tensor belongs to a transform of :mod:`torch.func`, to
    batched gradients or to forward-mode differentiation.
    """
    for tensor in tensors:
        if tensor is None:
            continue
        try:
            tensor.untyped_storage()
        except NotImplementedError:  # Of tensors that wrap another.
            return True
        if forward_ad.unpack_dual(tensor).tangent is not None:
            return True
    return False
