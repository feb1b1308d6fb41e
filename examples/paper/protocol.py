"""The protocol of a page's numbers, and how far they can be compared."""

import shlex
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import torch

from examples.paper.data import FRAME_MS, OBSERVED
from examples.paper.render import Page
from examples.paper.run import SYM_GNN
from examples.paper.runs import (
    BASELINE_RATE,
    EMA,
    QUICK_RATE,
    RATE,
    WEIGHTING,
    Runs,
)

SPLITS = {
    "synthetic motion": "training, validation and test sequences of "
    "SyntheticMotion",
    "CMU Mocap": "validation: the fifth training recording of each action; "
    "test: the published windows",
    "Human3.6M": "validation: subject 11; test: the published windows, eight "
    "per action of subject 5",
}


def caveats(runs: Runs, page: Page) -> list[str]:
    """Why our numbers cannot be compared with the published ones, if so."""
    found, ours = [], runs.data.name
    if ours not in page.setting:
        found.append(
            f"Our numbers are on {ours}, which stands in for "
            f"{' and '.join(page.setting)}; do not compare them with the "
            f"published ones."
        )
    if runs.settings.quick:
        found.append(
            f"A quick run: small networks and {runs.steps} steps show that "
            f"everything runs; the numbers are meaningless."
        )
    return found


def protocol(runs: Runs, name: str, page: Page) -> dict[str, object]:
    """The protocol of our numbers.

    Args:
        runs: The runs that the page has used.
        name: The name of the page.
        page: The page.
    """
    data, settings = runs.data, runs.settings
    missing = [
        f"{one} is not available"
        + (f": run on {data.name}" if data.name not in page.setting else "")
        for one in page.setting
        if one != data.name
    ]
    validations = runs.steps // runs.validate_every
    labels = data.split("test").labels
    recognised = int(torch.isin(labels, data.trained).sum())
    rates = f"{RATE:g} (baselines: {BASELINE_RATE:g})"
    if settings.quick:
        rates = f"{QUICK_RATE:g}"
    return {
        "command": command(runs, name),
        "data in the paper": list(page.setting),
        "our data": data.identity,
        "missing": [*missing, *data.absent],
        "windows": f"{OBSERVED} observed and 10 or 25 predicted frames, one "
        f"every {FRAME_MS} ms; {len(labels)} test windows, of which the "
        f"{recognised} of actions with training recordings are recognised",
        "split": SPLITS[data.name],
        "training": f"{runs.steps} steps of {runs.batch_size} windows, half of "
        f"them mirrored, balanced classes; PoseLoss, weight of recognition "
        f"{WEIGHTING}; AdamW with one cycle up to {rates}, weights averaged "
        f"with a decay of {EMA}; the best of {validations} validation(s) is "
        f"tested; precision {settings.precision}",
        "networks": "all small, see SMALL in examples/paper/networks.py"
        if settings.quick
        else f"{SYM_GNN}: see LIGHT in examples/paper/networks.py; baselines: "
        f"as in their papers",
        "quick": settings.quick,
        "seeds": list(settings.seeds),
        "training time": training_time(runs),
        "runs": sorted(runs.used),
    }


def command(runs: Runs, name: str) -> str:
    """The command that makes a page, without the input and output folders."""
    settings = runs.settings
    parts = ["python", "-m", "examples.paper", name]
    if not runs.data.synthetic:
        parts += ["--data", Path(settings.data).absolute().name]
    if settings.dataset != "cmu":
        parts += ["--dataset", settings.dataset]
    if settings.quick:
        parts.append("--quick")
    parts += ["--steps", str(runs.steps)]
    parts += ["--seed", *map(str, settings.seeds)]
    if settings.precision != "32":
        parts += ["--precision", settings.precision]
    return shlex.join(parts)


def training_time(runs: Runs) -> list[str]:
    """The training time of a page's runs, by device."""
    seconds = defaultdict(list)
    for result in runs.used.values():
        if result["parameters"]:
            device = result.get("device", "a device that was not recorded")
            seconds[device].append(result["seconds"])
    return [
        f"{timedelta(seconds=round(sum(found)))} for {len(found)} run(s) on "
        f"{device}"
        for device, found in seconds.items()
    ]
