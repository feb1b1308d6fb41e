"""Figures 14 and 15: noisy input, and the theorem about it."""

from typing import Any

import torch
from torch import Tensor
from torch_geometric.transforms import Compose

from examples.paper.evaluate import evaluate
from examples.paper.measures import Spread, accuracy, short_error, spread
from examples.paper.published import LOST
from examples.paper.render import ACCURACY, ERROR, Page, lines
from examples.paper.run import sym_gnn
from examples.paper.runs import Runs
from symgnn_pyg.nn import JointGraphConv, SymGNN
from symgnn_pyg.transforms import RandomJitter

NOISE = (0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1)


def figure_14(runs: Runs) -> Page:
    run = sym_gnn()
    models, test = runs.models(run), runs.test(run)
    standardize = test.transform
    right: dict[float, Spread] = {}
    wrong: dict[float, Spread] = {}
    for std in NOISE:
        test.transform = Compose([RandomJitter(std), standardize])
        found = [evaluate(model, test, runs.data)[0] for model in models]
        right[std] = spread(list(map(accuracy, found)))
        wrong[std] = spread(list(map(short_error, found)))
    return Page(
        "noisy input",
        ("NTU-RGB+D", "Human3.6M"),
        [
            f"top-1, % (ours, {runs.data.name})",
            f"error (ours, {runs.data.name})",
        ],
        [(f"noise {std:g}", [right[std], wrong[std]]) for std in NOISE],
        lines(
            {
                f"top-1 {ACCURACY}": {"recognition": right},
                ERROR: {"prediction": wrong},
            },
            "standard deviation of the noise, radians",
        ),
        [
            LOST.format("figure"),
            "Gaussian noise on the observed exponential maps of test windows, "
            "in radians; the networks were trained without noise. The error is "
            "averaged over actions and over 80, 160, 320 and 400 ms.",
        ],
    )


@torch.no_grad()
def figure_15(runs: Runs) -> Page:
    run = sym_gnn()
    test = runs.test(run)
    standardize = test.transform
    clean = test.batch(range(len(test)))
    rows: dict[float, list[Spread]] = {}
    for std in NOISE[1:]:
        test.transform = Compose([RandomJitter(std), standardize])
        torch.manual_seed(run.seed)
        noisy = test.batch(range(len(test)))
        found = [measure(m, clean.x, noisy.x) for m in runs.models(run)]
        rows[std] = [spread(list(v)) for v in zip(*found, strict=True)]
    curves = {
        name: {std: row[i] for std, row in rows.items()}
        for i, name in enumerate(("ratio", "most", "left", "right"))
    }
    name = runs.data.name
    return Page(
        "sensitivity of actional graphs to noise",
        ("Human3.6M",),
        [
            f"mean of ||A(P) - A(Q)|| / ||P - Q|| (ours, {name})",
            f"C: the highest (ours, {name})",
            f"left side of the theorem, mean (ours, {name})",
            f"right side, mean (ours, {name})",
        ],
        [(f"noise {std:g}", row) for std, row in rows.items()],
        lines(
            {
                "||A(P) - A(Q)|| / ||P - Q||": {
                    "mean": curves["ratio"],
                    "highest (C)": curves["most"],
                },
                "norm, sides of the stability theorem": {
                    "left side": curves["left"],
                    "right side": curves["right"],
                },
            },
            "standard deviation of the noise, radians",
        ),
        [
            LOST.format("figure"),
            "P and Q are standardised test windows without and with noise, "
            "which is in radians. Norms are Frobenius norms for inputs and "
            "outputs, spectral norms for graphs and weights.",
            "Theorem: ||ReLU(JGC(P)) - ReLU(JGC(Q))|| <= [λ ||W_act|| "
            "(||A(P)|| + C ||Q||) + Σ ||A_str(l)|| ||W_str(l)||] ||P - Q|| "
            "for the first layer, with the measured C.",
        ],
    )


def measure(model: SymGNN, p: Tensor, q: Tensor) -> tuple[float, ...]:
    """The mean and maximum perturbation ratio, and the means of both sides of
    the theorem, at the first layer of a network."""
    branch: Any = model.branches[0]
    conv = branch.joint_blocks[0].graph_conv
    assert model.actional_inference is not None
    a, b = model.actional_inference(p), model.actional_inference(q)
    ratio = perturbation_ratio(p, q, a, b)
    most = float(ratio.max())
    left, right = stability_sides(conv, p, q, a, b, most)
    return float(ratio.mean()), most, float(left.mean()), float(right.mean())


def perturbation_ratio(p: Tensor, q: Tensor, a: Tensor, b: Tensor) -> Tensor:
    r"""The distance between the actional graphs of two inputs divided by that
    between the inputs, per sample.

    Args:
        p: Inputs, of shape [N * V, T, C].
        q: Other inputs.
        a: The actional graphs of :obj:`p`, of shape [N, V, V].
        b: Those of :obj:`q`.
    """
    return (a - b).flatten(1).norm(dim=1) / per_sample(p - q, len(a))


def stability_sides(
    conv: JointGraphConv,
    p: Tensor,
    q: Tensor,
    a: Tensor,
    b: Tensor,
    lipschitz: float,
) -> tuple[Tensor, Tensor]:
    r"""Both sides of the stability theorem (section 4.1.3), per sample:

    .. math::
        \Vert \textrm{ReLU}(\textrm{JGC}(\mathbf{P})) -
        \textrm{ReLU}(\textrm{JGC}(\mathbf{Q})) \Vert_F \le \Big[ \lambda
        \Vert \mathbf{W}_{\textrm{act}} \Vert (\Vert \mathbf{A}(\mathbf{P})
        \Vert + C \Vert \mathbf{Q} \Vert_F) + \sum_l \Vert
        \mathbf{A}_{\textrm{str}}^{(l)} \Vert \Vert
        \mathbf{W}_{\textrm{str}}^{(l)} \Vert \Big] \Vert \mathbf{P} -
        \mathbf{Q} \Vert_F

    Args:
        conv: The layer.
        p: Inputs, of shape [N * V, T, C].
        q: Other inputs.
        a: The actional graphs of :obj:`p`, of shape [N, V, V].
        b: Those of :obj:`q`.
        lipschitz: The constant :math:`C`.
    """
    *structural, _ = conv.graphs(a)
    weights = torch.linalg.matrix_norm(conv.weight, 2)
    gap = conv(p, a).relu() - conv(q, b).relu()
    norms = torch.linalg.matrix_norm(a, 2)
    factor = (
        conv.lambda_ * weights[-1] * (norms + lipschitz * per_sample(q, len(a)))
    )
    for graph, weight in zip(structural, weights[:-1], strict=True):
        factor = factor + torch.linalg.matrix_norm(graph, 2) * weight
    return per_sample(gap, len(a)), factor * per_sample(p - q, len(a))


def per_sample(x: Tensor, num_samples: int) -> Tensor:
    """The Frobenius norm of each sample."""
    return x.reshape(num_samples, -1).norm(dim=1)
