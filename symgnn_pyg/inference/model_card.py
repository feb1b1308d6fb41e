r"""The card of a saved model, README.md in the convention of the Hugging Face
Hub.
"""

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from symgnn_pyg.errors import warn
from symgnn_pyg.files import replacing, resolved

if TYPE_CHECKING:
    from symgnn_pyg.inference.pose_model import PoseModel

LIBRARY = "library_name: symgnn_pyg"
TAGS = "skeleton, motion-prediction, action-recognition, graph-neural-network"


def write_card(
    folder: str | os.PathLike[str], model: "PoseModel", about: Mapping[str, Any]
) -> None:
    r"""Writes the card into the folder of a model. A file of this name that is
    not such a card is kept, with a warning.
    """
    card = resolved(folder) / "README.md"
    if card.exists() and LIBRARY not in card.read_text(errors="replace"):
        warn(
            f"{card} is not a model card of this library and was kept; the "
            f"model was saved without a card"
        )
        return
    with replacing(card) as path:
        path.write_text(_card(card.parent.name, model, about))


def _card(name: str, model: "PoseModel", about: Mapping[str, Any]) -> str:
    class_name, skeleton = type(model.model).__name__, model.skeleton
    article = "An" if class_name.startswith(tuple("AEIOU")) else "A"
    limits = "joints, units or axes"
    if model.samples == "windows":
        limits = "joints, units, axes or frame rates"
    blocks = [
        f"---\n{LIBRARY}\n"
        f"license: {json.dumps(str(about.get('license', 'unknown')))}\n"
        f"tags: [{TAGS}]\n---",
        f"# {' '.join(name.split())}",
        f"{article} {class_name} of symgnn_pyg (Symbiotic Graph Neural "
        f"Networks, [Li et al.](https://arxiv.org/abs/1910.02212)).",
        f"```python\nfrom symgnn_pyg.inference import PoseModel\n\n"
        f"model = PoseModel.from_pretrained({name!r})\n"
        f"answer = model(motion)  # [frames, {skeleton.num_joints} joints, "
        f"{model.network.num_channels} channels]\n"
        f"print(answer.action, answer.probabilities, answer.future)\n```",
        "## Model",
        _table({
            "skeleton": f"{skeleton.name}, {skeleton.num_joints} "
            f"joints: {', '.join(skeleton.joints)}",
            "parameters": f"{sum(p.numel() for p in model.parameters()):,}",
            "samples": model.samples,
            "observed frames": model.num_observed,
            "predicted frames": model.num_future,
            "frames per second": about.get("frame_rate", "not stated"),
            "unit": about.get("unit", "not stated"),
            "transforms": ", ".join(map(repr, model.network.steps)) or "none",
        }),
        "## Classes",
        _classes(about),
        "## Data",
        _described(about.get("data")),
        "## Metrics",
        _described(about.get("metrics")),
        "## Training",
        f"```sh\n{about['command']}\n```"
        if "command" in about
        else "The command is not stated.",
        "## Limits",
        f"The model is meaningless for other {limits} than those of its data.",
    ]  # fmt: skip
    return "\n\n".join(blocks) + "\n"


def _classes(about: Mapping[str, Any]) -> str:
    if not about["classes"]:
        return "None: the network only predicts."
    trained = about.get("trained", about["classes"])
    return "\n".join(
        f"- {_cell(name)}" + " (not trained on)" * (name not in trained)
        for name in about["classes"]
    )


def _described(value: object) -> str:
    if not value:
        return "Not stated."
    return _table(value) if isinstance(value, Mapping) else str(value)


def _table(rows: Mapping[str, Any]) -> str:
    cells = [f"| {_cell(name)} | {_cell(rows[name])} |" for name in rows]
    return "\n".join(["| | |", "|---|---|", *cells])


def _cell(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return " ".join(text.split()).replace("|", "\\|")
