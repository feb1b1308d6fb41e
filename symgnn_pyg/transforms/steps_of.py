from torch_geometric.transforms import Compose


def steps_of(transform: object) -> list[object]:
    r"""The transforms that a transform consists of, in their order.

    Args:
        transform: A transform, a
            :class:`torch_geometric.transforms.Compose` of several, or
            :obj:`None`.
    """
    if isinstance(transform, Compose):
        return [
            step for part in transform.transforms for step in steps_of(part)
        ]
    return [] if transform is None else [transform]
