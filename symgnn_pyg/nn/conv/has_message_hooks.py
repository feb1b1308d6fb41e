from torch_geometric.nn import MessagePassing


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
