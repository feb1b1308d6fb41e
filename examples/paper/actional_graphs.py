"""Figures 11 and 12: actional graphs."""

import matplotlib.pyplot as plt
import torch
from torch import Tensor

from examples.paper.published import action_name
from examples.paper.render import Page
from examples.paper.run import Run, sym_gnn
from examples.paper.runs import Runs
from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.visualization import plot_actional_edges, plot_actional_map

STRONGEST = 15
ACROSS = 4
PER_SPLIT = 160


@torch.no_grad()
def figure_11(runs: Runs) -> Page:
    run, skeleton = sym_gnn(), runs.data.skeleton
    model, test = runs.models(run)[0], runs.test(run)
    labels = test.labels.tolist()
    # As in the paper, two windows of one action show what they share.
    actions = sorted(set(labels))
    shown = [labels.index(label) for label in actions]
    shown.append(len(labels) - 1 - labels[::-1].index(actions[0]))
    names = [action_name(test.classes[labels[i]]) for i in shown]
    batch = test.batch(shown)
    graphs = model(batch.x).actional
    poses = runs.data.positions(test.transform.inverse(batch.x[:, -1:]))
    down = -(-len(shown) // ACROSS)
    figure = plt.figure(figsize=(2.4 * ACROSS, 4 * down), layout="constrained")
    rows = []
    poses = poses.unflatten(0, (len(shown), -1))
    for i, (name, graph, pose) in enumerate(
        zip(names, graphs, poses, strict=True), 1
    ):
        ax = figure.add_subplot(down, ACROSS, i)
        plot_actional_edges(graph, pose[:, 0], skeleton, STRONGEST, ax)
        ax.set_title(name, fontsize=10)
        edges = strongest(graph, skeleton.joints)
        rows.append((name, [", ".join(edges)]))
    return Page(
        f"the {STRONGEST} strongest edges of actional graphs",
        ("Human3.6M",),
        [f"edges, strongest first (ours, {runs.data.name})"],
        rows,
        figure,
        [
            "'a > b (w)': a acts on b with weight w. Self-loops are left out.",
            "The last row is another window of the first action. The network "
            "is that of the first seed.",
        ],
    )


def strongest(graph: Tensor, joints: tuple[str, ...]) -> list[str]:
    """The strongest edges of an actional graph as text."""
    weight = graph.clone().fill_diagonal_(-1.0).flatten()
    found = []
    for edge in weight.topk(STRONGEST).indices.tolist():
        target, source = divmod(edge, len(joints))
        found.append(
            f"{joints[source]} > {joints[target]} ({weight[edge]:.2f})"
        )
    return found


def figure_12(runs: Runs) -> Page:
    run = sym_gnn()
    graphs, labels, recordings = all_graphs(runs, run)
    figure, ax = plt.subplots(figsize=(6, 5), layout="constrained")
    torch.manual_seed(run.seed)
    num_joints = runs.data.skeleton.num_joints
    plot_actional_map(
        graphs.unflatten(1, (num_joints, num_joints)),
        labels,
        list(map(action_name, runs.data.classes)),
        ax,
    )
    shares = labels.bincount() / len(labels)
    return Page(
        "t-SNE of actional graphs",
        ("Human3.6M",),
        [f"share (ours, {runs.data.name})"],
        [
            (
                "nearest graph of another recording has the same action",
                [same(graphs, labels, recordings)],
            ),
            ("the same by chance", [float(shares.square().sum())]),
        ],
        figure,
        [
            f"{len(graphs)} windows of test and validation recordings, the "
            f"network of the first seed; each graph is a vector of "
            f"{graphs.size(1)} weights.",
            "Graphs of the same recording do not count as neighbours, because "
            "its windows overlap.",
        ],
    )


@torch.no_grad()
def all_graphs(runs: Runs, run: Run) -> tuple[Tensor, Tensor, Tensor]:
    """The actional graphs of held-out windows [N, V * V], their labels and
    their recordings."""
    model = runs.models(run)[0]
    graphs, labels, recordings = [], [], []
    for windows in (runs.test(run), runs.validation(run, PER_SPLIT)):
        for batch in SkeletonLoader(windows, 64):
            graphs.append(model(batch.x).actional.flatten(1))
        labels.append(windows.labels)
        found = windows.windows.sequence[list(windows.indices())]
        recordings.append(torch.from_numpy(found))
    return torch.cat(graphs), torch.cat(labels), torch.cat(recordings)


def same(graphs: Tensor, labels: Tensor, recordings: Tensor) -> float:
    """The share of graphs whose nearest graph of another recording has the
    same action."""
    distance = torch.cdist(graphs, graphs)
    distance[recordings == recordings.unsqueeze(1)] = torch.inf
    nearest = distance.argmin(dim=1)
    return float((labels[nearest] == labels).double().mean())
