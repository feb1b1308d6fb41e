from torch_geometric.nn import MessagePassing


def has_message_hooks(layer: MessagePassing) -> bool:
    r"""Whether a hook waits for what a layer sends along edges."""
    return bool(
        layer._propagate_forward_pre_hooks
        or layer._propagate_forward_hooks
        or layer._message_forward_pre_hooks
        or layer._message_forward_hooks
        or layer._aggregate_forward_pre_hooks
        or layer._aggregate_forward_hooks
    )
