"""Weights that know their skeleton: the fingerprint is saved with them, and
those of another skeleton are refused.
"""

from typing import TYPE_CHECKING

from torch import Tensor

from symgnn_pyg.nn.models.pretrained_files import rename_weights

if TYPE_CHECKING:
    from symgnn_pyg.nn.models.symgnn import SymGNN


def register_skeleton_id(model: "SymGNN") -> None:
    r"""Saves and checks :attr:`SymGNN.skeleton_id` with the weights."""
    model.register_state_dict_post_hook(_save)
    model.register_load_state_dict_pre_hook(_check)


def _save(
    model: "SymGNN", state: dict[str, Tensor], prefix: str, *_: object
) -> None:
    state[f"{prefix}skeleton_id"] = model.skeleton_id


def _check(
    model: "SymGNN", state: dict[str, Tensor], prefix: str, *_: object
) -> None:
    saved = state.pop(f"{prefix}skeleton_id", None)
    if saved is not None and int(saved) != model.skeleton.fingerprint:
        raise ValueError(
            f"Expected a checkpoint for {model.skeleton!r}, got one for "
            f"another skeleton; load_fitting_weights loads what does not "
            f"depend on the skeleton"
        )
    rename_weights(state, prefix)
