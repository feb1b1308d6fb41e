import torch


def needs_plain_code() -> bool:
    r"""Whether only operators of torch's own will do: in an exported program,
    which must run where this package is absent, and under the transforms of
    :mod:`torch.func`.
    """
    if torch.compiler.is_compiling():
        return torch.compiler.is_exporting()
    return torch._C._functorch.peek_interpreter_stack() is not None
