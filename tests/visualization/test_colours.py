import pytest

from symgnn_pyg import Skeleton
from symgnn_pyg.skeleton import mirrored_joints
from symgnn_pyg.skeleton.layouts import LAYOUTS
from symgnn_pyg.skeleton.sides import body_sides
from symgnn_pyg.visualization.colours import CYCLE, OF_SIDE, joint_colours

EVERY = [*map(Skeleton.get, LAYOUTS)]
OTHER = {"left": "right", "right": "left", "middle": "middle"}


@pytest.mark.parametrize("skeleton", EVERY, ids=lambda s: s.name)
@pytest.mark.parametrize("dual", [False, True], ids=["", "dual"])
def test_partners_are_on_opposite_sides(skeleton, dual):
    skeleton = skeleton.dual() if dual else skeleton
    side = body_sides(skeleton)
    partner = mirrored_joints(skeleton).tolist()
    assert side == [OTHER[side[p]] for p in partner]
    assert [p == j for j, p in enumerate(partner)] == [
        s == "middle" for s in side
    ]


@pytest.mark.parametrize("skeleton", EVERY, ids=lambda s: s.name)
def test_colours_tell_sides_and_neighbours_apart(skeleton):
    colours = joint_colours(skeleton)
    side = body_sides(skeleton)
    if not skeleton.pairs:
        assert len(set(colours)) == skeleton.num_parts
        return
    for joint, colour in enumerate(colours):
        assert colour in OF_SIDE[side[joint]]
    part = skeleton.joint_to_part.tolist()
    for a, b in skeleton.bones + skeleton.links:
        if side[a] == side[b] and part[a] != part[b]:
            assert colours[a] != colours[b]
    shade = [OF_SIDE[s].index(c) for s, c in zip(side, colours, strict=True)]
    assert shade == [shade[p] for p in mirrored_joints(skeleton).tolist()]


def test_parts_without_sides():
    names = [str(j) for j in range(8)]
    skeleton = Skeleton(
        names, [(j, 0) for j in range(1, 8)], {n: [n] for n in names}
    )
    assert joint_colours(skeleton) == list(CYCLE)
    assert len(set(CYCLE)) == 8
