from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint

Result = TypeVar("Result")


def recompute(
    function: Callable[..., Result],
    *inputs: Tensor | None,
    recompute_context: AbstractContextManager[None] | None = None,
) -> Result:
    r"""Calls a function and saves only its inputs for the backward pass,
    which computes intermediate results again:
    :func:`torch.utils.checkpoint.checkpoint` wherever that is possible and
    saves memory, else a plain call.

    Args:
        function: The function. It must draw no random numbers.
        inputs: All tensors that it uses, weights included.
        recompute_context: The reusable context in which the backward pass
            calls the function again, such as one in which batches are not
            counted a second time. (default: none)
    """
    if not _saves_memory(*inputs):
        return function(*inputs)
    result: Result = checkpoint(
        function,
        *inputs,
        use_reentrant=False,
        preserve_rng_state=False,
        context_fn=lambda: (nullcontext(), recompute_context or nullcontext()),
    )
    return result


def _saves_memory(*inputs: Tensor | None) -> bool:
    tensors = [tensor for tensor in inputs if tensor is not None]
    return (
        # A compiler decides itself what to compute again.
        not torch.compiler.is_compiling()
        # There is no memory to save on the device "meta".
        and not any(tensor.is_meta for tensor in tensors)
        and torch.is_grad_enabled()
        and any(tensor.requires_grad for tensor in tensors)
        and not is_transformed(*tensors)
        and _saved_tensors_have_hooks()
    )


def _saved_tensors_have_hooks() -> bool:
    r"""Whether the hooks that :func:`checkpoint` needs are allowed, which
    they are not within transforms such as :func:`torch.func.grad`.
    """
    try:
        with saved_tensors_hooks(lambda t: t, lambda t: t):
            return True
    except RuntimeError:
        return False


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
