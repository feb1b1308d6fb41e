from symgnn_pyg.skeleton.skeleton import Skeleton


def as_skeleton(skeleton: Skeleton | str) -> Skeleton:
    r"""Returns a skeleton as it is, and the built-in one for a name.

    Args:
        skeleton: The skeleton, or the name of a built-in one; see
            :meth:`Skeleton.get`.

    Raises:
        TypeError: If :obj:`skeleton` is neither.
        ValueError: If there is no built-in skeleton of that name.
    """
    if isinstance(skeleton, str):
        return Skeleton.get(skeleton)
    if not isinstance(skeleton, Skeleton):
        raise TypeError(
            f"Expected 'skeleton' to be a Skeleton, got "
            f"{type(skeleton).__name__}; pass a Skeleton or the name of a "
            f"built-in one, such as 'ntu25'"
        )
    return skeleton
