"""Weights that know their skeleton: the fingerprint is saved with them, and
those of another skeleton are refused.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from symgnn_pyg.nn.models.pretrained_files import rename_weights

if TYPE_CHECKING:
    from symgnn_pyg.nn.models.symgnn import SymGNN


def register_skeleton_id(model: "SymGNN") -> None:
    r"""Saves and checks :attr:`SymGNN.skeleton_id` with the weights."""
    # Neither a buffer, which averages of buffers and to_empty would change, nor
    # a property, which functional_call could not set.
    model.skeleton_id = _skeleton_id(model)
    model.register_state_dict_post_hook(_save)
    model.register_load_state_dict_pre_hook(_check)


def _save(
    model: "SymGNN", state: dict[str, Tensor], prefix: str, *_: object
) -> None:
    state[f"{prefix}skeleton_id"] = _skeleton_id(model)


def _skeleton_id(model: "SymGNN") -> Tensor:
    return torch.tensor(model.skeleton.fingerprint, device="cpu")


def _check(
    model: "SymGNN", state: dict[str, Tensor], prefix: str, *_: object
) -> None:
    saved = state.pop(f"{prefix}skeleton_id", None)
    if saved is not None and _differs(
        torch.as_tensor(saved), model.skeleton.fingerprint
    ):
        raise ValueError(
            f"Expected a checkpoint for {model.skeleton!r}, got one for "
            f"another skeleton; load_fitting_weights loads what does not "
            f"depend on the skeleton"
        )
    rename_weights(state, prefix)


def _differs(saved: Tensor, fingerprint: int) -> bool:
    r"""Whether an entry is the fingerprint of another skeleton. Nothing is
    known from averages and other precisions, which lose its last digits or, if
    sums overflow, all of it.
    """
    if saved.is_floating_point():
        return bool(saved.isnan())
    # Integers that come from single precision end with at least 20 zeros.
    return int(saved) % 2**20 != 0 and int(saved) != fingerprint
