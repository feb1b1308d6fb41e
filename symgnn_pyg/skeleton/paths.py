from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symgnn_pyg.skeleton import Skeleton


def paths_to_roots(skeleton: "Skeleton") -> list[list[int]]:
    r"""The path from each joint along the bones to its root, its ancestor
    without a parent: the joint, its parent and so on, with the root last.

    Args:
        skeleton: The skeleton.

    Example:
        >>> paths_to_roots(Skeleton(["hip", "knee", "foot"], [(1, 0), (2, 1)]))
        [[0], [1, 0], [2, 1, 0]]
    """
    parent = dict(skeleton.bones)
    paths = [[joint] for joint in range(skeleton.num_joints)]
    for path in paths:
        while path[-1] in parent:
            path.append(parent[path[-1]])
    return paths
