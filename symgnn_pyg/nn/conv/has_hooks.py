from torch.nn import Module
from torch.nn.modules import module


def has_hooks(*modules: Module) -> bool:
    r"""Whether a hook waits for what goes into modules, or those within, or
    comes out of them, or takes the place of what they compute."""
    return bool(module._has_any_global_hook()) or any(
        hooks
        for outer in modules
        for inner in outer.modules()
        for hooks in (
            vars(inner).keys() & {"forward"},
            inner._forward_hooks,
            inner._forward_pre_hooks,
            inner._backward_hooks,
            inner._backward_pre_hooks,
        )
    )
