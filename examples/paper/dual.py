"""Table XV: joints, bones, and both."""

import torch

from examples.paper.evaluate import evaluate
from examples.paper.measures import Spread, accuracy, short_error, spread
from examples.paper.recognition import bones_of
from examples.paper.render import ACCURACY, ERROR, Page, comparison
from examples.paper.run import sym_gnn
from examples.paper.runs import Runs
from examples.paper.symbiosis import top_1
from examples.shared import FromJoints
from symgnn_pyg.nn import DualSymGNN


def table_15(runs: Runs) -> Page:
    joint, bone = sym_gnn(), bones_of(sym_gnn())
    ours = {
        "only joint": top_1(runs, joint)
        | {"error": runs.spread(joint, short_error)},
        "only bone": top_1(runs, bone),
        "joint and bone": fused(runs, fit=False),
        "joint and bone, weight fitted": fused(runs, fit=True),
    }
    return comparison(
        "table-15",
        "joints, bones, and both",
        ("NTU-RGB+D",),
        ours,
        runs.data.name,
        (ACCURACY, ERROR),
        [
            "Top-1 in percent; the error is the mean angle error averaged "
            "over actions and over 80, 160, 320 and 400 ms.",
            "Both networks have a weight of one half; 'weight fitted' uses the "
            "weight that recognises most validation windows.",
        ],
    )


def fused(runs: Runs, fit: bool) -> dict[str, Spread]:
    """The accuracy and the error of the dual network."""
    run, found = sym_gnn(), []
    for joint, bone in zip(
        runs.models(run), runs.models(bones_of(run)), strict=True
    ):
        model = FromJoints(DualSymGNN(joint, bone)).eval()
        if fit:
            fit_weight(model, runs)
        found.append(evaluate(model, runs.test(run), runs.data)[0])
    return {
        "top-1": spread(list(map(accuracy, found))),
        "error": spread(list(map(short_error, found))),
    }


@torch.no_grad()
def fit_weight(model: FromJoints, runs: Runs) -> None:
    """Fits the weight of the joints' scores on validation windows."""
    val = runs.validation(sym_gnn())
    batch = val.batch(range(len(val)))
    out = model(batch.x)
    model.dual.fit_recognition_weight(
        out.joint.logits, out.bone.logits, batch.y
    )
