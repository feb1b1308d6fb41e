from collections.abc import Callable

import torch
from torch import Tensor


def needs_plain_gradients(grad: Tensor) -> bool:
    r"""Whether a backward pass must consist of torch's own operators: its
    result is to be derived again, or it is several at once, as with
    :obj:`torch.autograd.grad(..., is_grads_batched=True)`.

    Args:
        grad: The gradient that comes in.
    """
    functorch = torch._C._functorch
    return (
        torch.is_grad_enabled()
        or functorch.is_legacy_batchedtensor(grad)
        or functorch.is_batchedtensor(grad)
    )


def plain_gradients(
    function: Callable[..., Tensor],
    inputs: tuple[Tensor | None, ...],
    grad: Tensor,
) -> tuple[Tensor | None, ...]:
    r"""The gradients of a function's inputs, of those that need one.

    Args:
        function: What the forward pass computes, by torch's own operators.
        inputs: Its inputs.
        grad: The gradient of its result.
    """
    with torch.enable_grad(), torch.autocast(grad.device.type, enabled=False):
        # Hooks of the inputs themselves are called once, not here too.
        views = [t if t is None else t.view_as(t) for t in inputs]
        wanted = [t for t in views if t is not None and t.requires_grad]
        if not wanted:
            return (None,) * len(inputs)
        out = function(*views)
    grads = torch.autograd.grad(
        out, wanted, grad, create_graph=torch.is_grad_enabled()
    )
    found = dict(zip(map(id, wanted), grads, strict=True))
    return tuple(found.get(id(t)) for t in views)
