"""Table XV: joints, bones, and both."""

import torch

from examples.paper.evaluate import evaluate
from examples.paper.measures import Spread, short_error, spread
from examples.paper.published import LOST, published
from examples.paper.recognition import bones_of
from examples.paper.render import ACCURACY, ERROR, Page, bars, compare
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
    theirs = published("table-15")
    return Page(
        "joints, bones, and both",
        ("NTU-RGB+D",),
        *compare(theirs, ours, runs.data.name),
        bars(theirs, ours, runs.data.name, (ACCURACY, ERROR)),
        [
            LOST.format("table"),
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
        "top-1": spread([100 * one["top1"] for one in found]),
        "error": spread([short_error(one) for one in found]),
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
