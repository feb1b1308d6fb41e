from torch.nn import Module
from torch.nn.modules import module
from torch_geometric.nn import MessagePassing

# Neither torch nor PyG has a public way to ask for registered hooks.


def has_hooks(*modules: Module) -> bool:
    r"""Whether any forward or backward hook is registered on these modules or
    their children, or their :meth:`forward` is replaced."""
    return bool(module._has_any_global_hook()) or any(
        hooks
        for outer in modules
        for inner in outer.modules()
        for hooks in (
            "forward" in vars(inner),
            inner._forward_hooks,
            inner._forward_pre_hooks,
            inner._backward_hooks,
            inner._backward_pre_hooks,
        )
    )


def has_message_hooks(layer: MessagePassing) -> bool:
    r"""Whether any hook on the messages of a layer is registered."""
    return bool(
        layer._propagate_forward_pre_hooks
        or layer._propagate_forward_hooks
        or layer._message_forward_pre_hooks
        or layer._message_forward_hooks
        or layer._aggregate_forward_pre_hooks
        or layer._aggregate_forward_hooks
    )
