r"""The card of a saved model, README.md in the convention of the Hugging Face
Hub.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from symgnn_pyg.errors import warn
from symgnn_pyg.files import replacing, resolved

CARD = "README.md"
LIBRARY = "library_name: symgnn_pyg"
TAGS = "skeleton, motion-prediction, action-recognition, graph-neural-network"


def write_card(
    folder: str | os.PathLike[str], class_name: str, about: Mapping[str, Any]
) -> None:
    r"""Writes a :func:`model_card` into the folder of a model. A file of this
    name that is not such a card is kept, with a warning.
    """
    card = resolved(folder) / CARD
    if card.exists() and LIBRARY not in card.read_text(errors="replace"):
        warn(
            f"{card} is not a model card of this library and was kept; the "
            f"model was saved without a card",
        )
        return
    with replacing(card) as path:
        path.write_text(model_card(card.parent.name, class_name, about))


def model_card(name: str, class_name: str, about: Mapping[str, Any]) -> str:
    r"""The text of the card."""
    title = " ".join(name.split())
    article = "An" if class_name.startswith(tuple("AEIOU")) else "A"
    blocks = [
        f"---\n{LIBRARY}\n"
        f"license: {json.dumps(str(about.get('license', 'unknown')))}\n"
        f"tags: [{TAGS}]\n---",
        f"# {title}",
        f"{article} {class_name} of symgnn_pyg (Symbiotic Graph Neural "
        f"Networks, [Li et al.](https://arxiv.org/abs/1910.02212)).",
        f"```python\nfrom symgnn_pyg.inference import PoseModel\n\n"
        f"model = PoseModel.from_pretrained({name!r})\n"
        f"answer = model(motion)  # [frames, {about['num_joints']} joints, "
        f"{about['num_channels']} channels]\n"
        f"print(answer.action, answer.probabilities, answer.future)\n```",
        "## Model",
        _table({
            "skeleton": f"{about['skeleton_name']}, {about['num_joints']} "
            f"joints: {', '.join(about['joints'])}",
            "parameters": f"{about['num_parameters']:,}",
            "observed frames": about["num_observed"],
            "predicted frames": about["num_future"],
            "frames per second": about.get("frame_rate", "not stated"),
            "transforms": ", ".join(about["steps"]) or "none",
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
        "The model is meaningless for other joints, units, axes or frame "
        "rates than those of its data.",
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
