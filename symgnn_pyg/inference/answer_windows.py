r"""Windows through a network, a limited number of bodies at a time."""

import torch
from torch import Tensor

from symgnn_pyg.inference.pose_network import PoseNetwork

# The number of bodies that pass through the network at once.
CHUNK = 256


def answer_windows(
    network: PoseNetwork, windows: list[Tensor], num_bodies: Tensor | None
) -> tuple[Tensor | None, Tensor | None]:
    r"""The class scores :math:`[W, N, K]` and future poses
    :math:`[W, M, V, T', C]` of the :math:`M` bodies of :math:`N` scenes, from
    the :math:`W` windows :math:`[W, V, C, T]` of each body.
    """
    sizes = torch.ones(len(windows), dtype=torch.long)
    if num_bodies is not None:
        sizes = num_bodies.cpu()
    # Scenes that pass through the network together.
    group = (sizes.cumsum(0) - 1) // CHUNK
    counts = group.unique_consecutive(return_counts=True)[1]
    found, first = [], 0
    for scenes in sizes.split(counts.tolist()):
        last = first + int(scenes.sum())
        bodies = None if num_bodies is None else scenes
        found.append(_answer_scenes(network, windows[first:last], bodies))
        first = last
    logits, future = (
        None if head[0] is None else torch.cat(head, dim=1)
        for head in zip(*found, strict=True)
    )
    return logits, future


def _answer_scenes(
    network: PoseNetwork, windows: list[Tensor], num_bodies: Tensor | None
) -> tuple[Tensor | None, Tensor | None]:
    found: list[tuple[Tensor | None, Tensor | None]] = []
    at_once = max(1, CHUNK // len(windows))
    for start in range(0, len(windows[0]), at_once):
        part = torch.stack([w[start : start + at_once] for w in windows], 1)
        scenes = None
        if num_bodies is not None:
            scenes = num_bodies.to(part.device).repeat(len(part))
        x = part.flatten(0, 1).transpose(-1, -2)  # [M, V, T, C]
        found.append(network(x, scenes))
    logits, future = (
        None
        if head[0] is None
        else torch.cat(head).unflatten(0, (len(windows[0]), -1))
        for head in zip(*found, strict=True)
    )
    return logits, future
