import numpy as np
import pytest

from symgnn_pyg import Skeleton
from symgnn_pyg.skeleton.layouts import CMU26_IN_38
from symgnn_pyg.skeleton.pose_layouts import COCO17

CMU38 = Skeleton.get("cmu38")


def test_body_of_the_whole_body():
    body = Skeleton.get("coco_wholebody133").subset(COCO17, "coco17")
    coco = Skeleton.get("coco17")
    assert body == coco
    assert body.fingerprint == coco.fingerprint


def test_parents_are_the_nearest_that_are_kept():
    legs = CMU38.subset(["root", "lfoot", "lfemur", "rfoot"])
    assert legs.joints == ("root", "lfoot", "lfemur", "rfoot")
    assert set(legs.bones) == {(1, 2), (2, 0), (3, 0)}
    assert legs.part_names == ("left thigh", "left crus", "right crus", "torso")
    assert legs.pairs == ((1, 3),)
    assert legs.name == "cmu38"


def test_another_root():
    """The joint nearest to the root takes its place."""
    found = CMU38.subset(CMU26_IN_38)
    assert found.joints == Skeleton.get("cmu26").joints
    roots = set(range(26)) - {child for child, _ in found.bones}
    assert {found.joints[j] for j in roots} == {"lowerback"}
    assert found.bones[0] == (0, 8)
    assert dict(found.parts) == dict(Skeleton.get("cmu26").parts)


def position(skeleton):
    """Of the joints in the rest pose."""
    parent, found = dict(skeleton.bones), []
    for joint in range(skeleton.num_joints):
        total = np.zeros(3)
        while joint is not None:
            total = total + skeleton.offsets[joint]
            joint = parent.get(joint)
        found.append(total)
    return np.array(found)


@pytest.mark.parametrize("kept", [CMU26_IN_38, [5, 3, 0], [12, 6, 30]])
def test_rest_pose_stays(kept):
    found = position(CMU38.subset(kept))
    np.testing.assert_allclose(found, position(CMU38)[list(kept)], atol=1e-8)


def test_links_stay_where_both_ends_do():
    ring = Skeleton(
        "abcd", [(1, 0), (2, 1), (3, 2)], links=[("a", "d"), ("a", "c")]
    )
    assert ring.subset("abd").links == ((0, 2),)
    # Without b, a bone takes the place of the link.
    assert ring.subset("acd").links == ((0, 2),)
    assert ring.subset("acd").bones == ((1, 0), (2, 1))


@pytest.mark.parametrize(
    ("joints", "fault"),
    [
        (["root", "tail"], "Unknown joint 'tail'"),
        (["root", "root"], "'root' is given twice"),
        ([], "at least one joint"),
    ],
)
def test_bad_joints(joints, fault):
    with pytest.raises(ValueError, match=fault):
        CMU38.subset(joints)
