"""Tables I to III: recognition."""

from dataclasses import replace

from examples.paper.evaluate import accuracies
from examples.paper.measures import Spread, spread
from examples.paper.published import published
from examples.paper.render import ACCURACY, Page, comparison
from examples.paper.run import Run, sym_gnn
from examples.paper.runs import Runs

AGCN = "2s-AGCN, one stream"
ONLY_JS = {"use_actional": False, "use_parts": False}
ONLY_JA = {"use_structural": False, "use_parts": False}
ONLY_J = {"use_parts": False}
ONLY_P = {"use_structural": False, "use_actional": False}
# Pairs of a joint and a bone network, whose scores are averaged.
FUSED = {
    "2s-AGCN": Run(network=AGCN),
    "Sym-GNN (only JS)": sym_gnn(**ONLY_JS),
    "Sym-GNN (only JA)": sym_gnn(**ONLY_JA),
    "Sym-GNN (only J)": sym_gnn(**ONLY_J),
    "Sym-GNN (only P)": sym_gnn(**ONLY_P),
    "Sym-GNN (no pred)": sym_gnn(num_future=0),
    "Sym-GNN": sym_gnn(),
}
ALONE = {
    "ST-GCN": Run(network="ST-GCN"),
    "HCN": Run(network="HCN"),
    "AS-GCN": Run(network="AS-GCN"),
    "Sym-GNN (no bone)": sym_gnn(),
}


def accuracy(runs: Runs, name: str) -> dict[str, Spread]:
    """The top-1 and top-5 accuracy of a row, in percent."""
    if name in ALONE:
        found = runs.results(ALONE[name])
    else:
        found = [
            accuracies((joint["logits"] + bone["logits"]) / 2, joint["labels"])
            for joint, bone in zip(
                runs.outputs(FUSED[name]),
                runs.outputs(bones_of(FUSED[name])),
                strict=True,
            )
        ]
    return {
        f"top-{k}": spread([100 * one[f"top{k}"] for one in found])
        for k in (1, 5)
    }


def bones_of(run: Run) -> Run:
    """The same network on the bones."""
    return replace(run, bones=True)


def table(
    runs: Runs,
    name: str,
    title: str,
    setting: tuple[str, ...],
    prefix: str = "",
) -> Page:
    known = {*ALONE, *FUSED}
    ours = {
        row: {f"{prefix}{k}": v for k, v in accuracy(runs, row).items()}
        for row in published(name)
        if row in known
    }
    return comparison(
        name,
        title,
        setting,
        ours,
        runs.data.name,
        ACCURACY,
        [
            "Accuracies in percent. Our 2s-AGCN and Sym-GNN, except 'no bone', "
            "average the scores of a joint and a bone network.",
            "Our baselines follow their papers.",
        ],
    )


def table_1(runs: Runs) -> Page:
    return table(
        runs,
        "table-1",
        "recognition on NTU-RGB+D",
        ("NTU-RGB+D",),
    )


def table_2(runs: Runs) -> Page:
    return table(
        runs, "table-2", "recognition on Kinetics", ("Kinetics-Skeleton",)
    )


def table_3(runs: Runs) -> Page:
    page = table(
        runs,
        "table-3",
        "recognition on Human3.6M and CMU Mocap",
        ("Human3.6M", "CMU Mocap"),
        {"CMU Mocap": "CMU ", "Human3.6M": "Human3.6M "}.get(
            runs.data.name, ""
        ),
    )
    page.notes.append(
        "The paper does not say which windows it recognises; ours are the "
        "published windows of motion prediction."
    )
    return page
