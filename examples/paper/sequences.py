"""Figure 13: predicted sequences."""

import torch

from examples.paper.data import FRAME_MS
from examples.paper.prediction import LONG
from examples.paper.published import action_name
from examples.paper.render import Page
from examples.paper.runs import Runs
from symgnn_pyg.visualization import plot_poses

EVERY = 2
NETWORKS = ("Res-uns", "LTD", "Sym-GNN")


@torch.no_grad()
def figure_13(runs: Runs) -> Page:
    test = runs.test(LONG["Sym-GNN"])
    name = "running" if "running" in test.classes else test.classes[0]
    at = test.labels.tolist().index(test.classes.index(name))
    batch = test.batch([at])
    steps = list(range(EVERY - 1, test.num_future, EVERY))

    def shown(frames: torch.Tensor) -> torch.Tensor:
        place = runs.data.positions(test.transform.inverse(frames))
        return place.transpose(0, 1)[steps]  # [T, V, 3]

    motions = {"true": batch.future}
    for network in NETWORKS:
        model = runs.models(LONG[network])[0]
        motions[network] = model(batch.x).future
    poses = {row: shown(frames) for row, frames in motions.items()}
    times = [f"{FRAME_MS * (step + 1)} ms" for step in steps]
    gaps = [
        (row, (place - poses["true"]).norm(dim=-1).mean(dim=1).tolist())
        for row, place in poses.items()
        if row != "true"
    ]
    return Page(
        f"predicted sequences of '{action_name(name)}'",
        ("Human3.6M", "CMU Mocap"),
        times,
        [(row, [round(gap, 3) for gap in cells]) for row, cells in gaps],
        plot_poses(poses, runs.data.skeleton, times),
        [
            "Numbers: our mean distance between predicted and true joints in "
            f"metres on {runs.data.name}, first seed; the paper shows only "
            f"poses.",
            "The paper also shows AGED and CSM; they are not implemented here.",
        ],
    )
