"""The colour-blind-safe palette of M. Okabe and K. Ito, which tells parts and
sides of the body apart, and the line styles that tell bodies apart."""

from typing import Any

import networkx as nx

from symgnn_pyg.skeleton import Skeleton, body_sides

BLUE, SKY = "#0072b2", "#56b4e9"
VERMILLION, ORANGE = "#d55e00", "#e69f00"
GREEN, PURPLE = "#009e73", "#cc79a7"
DARK, GREY = "#333333", "#999999"
# The yellow of the palette is left out, as it is hard to see on white.
CYCLE = (BLUE, VERMILLION, GREEN, PURPLE, SKY, ORANGE, DARK, GREY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# Neighbouring parts on one side of the body differ in lightness.
OF_SIDE = {
    "left": (BLUE, SKY),
    "right": (VERMILLION, ORANGE),
    "middle": (DARK, GREY),
}
# The motions in a viewer: dark for the left side and the middle of the body,
# light for the right side.
SHADES = (
    (DARK, GREY),
    (BLUE, SKY),
    (VERMILLION, ORANGE),
    (GREEN, "#7fceb9"),
    (PURPLE, "#e5bcd3"),
)

# The bodies of one scene, in Matplotlib (lengths in widths of the line) and in
# plotly.
LINE_STYLES: tuple[Any, ...] = (
    "-",
    (0, (1.0, 0.6)),
    (0, (3.0, 0.8)),
    (0, (3.0, 0.8, 1.0, 0.8)),
    (0, (5.0, 1.0)),
    (0, (5.0, 1.0, 1.0, 1.0)),
)
DASHES = ("solid", "dot", "dash", "dashdot", "longdash", "longdashdot")
MOST_BODIES = len(LINE_STYLES)


def joint_colours(skeleton: Skeleton) -> list[str]:
    r"""The colour of each joint and of the bone to its parent: cold on the
    left side of the body, warm on the right and grey in the middle, in two
    shades that alternate between neighbouring parts. In a skeleton without
    sides, up to eight parts have their own colours.
    """
    part = skeleton.joint_to_part.tolist()
    side = body_sides(skeleton)
    if set(side) == {"middle"}:
        return [CYCLE[p % len(CYCLE)] for p in part]
    place = list(zip(side, part, strict=True))
    graph = nx.Graph()
    graph.add_nodes_from(place)
    graph.add_edges_from(
        (place[a], place[b])
        for a, b in skeleton.bones + skeleton.links
        if side[a] == side[b] and part[a] != part[b]
    )
    shade: dict[tuple[str, int], int] = {}
    for tied in nx.connected_components(graph):
        steps = nx.single_source_shortest_path_length(graph, min(tied))
        shade |= {at: steps[at] % 2 for at in tied}
    return [OF_SIDE[at[0]][shade[at]] for at in place]
