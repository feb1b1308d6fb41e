r"""The parts of a saved :class:`PoseModel`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from symgnn_pyg.errors import DataError, data_error
from symgnn_pyg.inference.pose_network import NETWORKS, Network
from symgnn_pyg.inference.transform_config import transform_from_config
from symgnn_pyg.nn.models.pretrained_files import MOST, read_config
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms import Standardize


def saved_network(path: Path) -> Network:
    r"""The network in the folder of a :obj:`config.json`."""
    kind = read_config(path)["class"]
    if kind not in NETWORKS:
        raise DataError(
            f"{path} describes a {kind}; expected one of {', '.join(NETWORKS)}"
        )
    return NETWORKS[kind].from_pretrained(path.parent)


def saved_transform(
    about: Mapping[str, Any], path: Path
) -> Callable[..., Any] | None:
    r"""The transform in the further entries of a configuration."""
    if "transform" in about:
        return transform_from_config(about["transform"], str(path))
    if "mean" not in about and "std" not in about:
        return None
    # Models saved by version 0.1 hold statistics instead of a transform.
    with data_error(f"{path}: 'mean' and 'std' must be tables of numbers"):
        return Standardize(
            torch.tensor(about["mean"]), torch.tensor(about["std"])
        )


def saved_skeleton(about: Mapping[str, Any], path: Path) -> Skeleton | None:
    r"""The skeleton in the further entries of a configuration."""
    if "skeleton" not in about:
        return None
    with data_error(f"{path}: 'skeleton' does not describe a skeleton"):
        if len(about["skeleton"]["joints"]) > MOST["joints"]:
            raise ValueError(f"more than {MOST['joints']} joints")
        return Skeleton(**about["skeleton"])
