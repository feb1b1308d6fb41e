import pytest

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.skeleton.layouts import LAYOUTS
from symgnn_pyg.skeleton.sides import body_sides

# Joints of common rigs, with their parents.
MIXAMO = {
    "mixamorig:Hips": None, "mixamorig:Spine": "mixamorig:Hips",
    "mixamorig:Neck": "mixamorig:Spine", "mixamorig:Head": "mixamorig:Neck",
    **{
        f"mixamorig:{side}{joint}": f"mixamorig:{parent.format(side)}"
        for side in ("Left", "Right")
        for joint, parent in {
            "UpLeg": "Hips", "Leg": "{}UpLeg", "Foot": "{}Leg",
            "ToeBase": "{}Foot", "Shoulder": "Spine", "Arm": "{}Shoulder",
            "ForeArm": "{}Arm", "Hand": "{}ForeArm",
            "HandIndex1": "{}Hand",
        }.items()
    },
}  # fmt: skip
BIPED = {
    "Bip01": None, "Bip01 Spine": "Bip01", "Bip01 Head": "Bip01 Spine",
    **{
        f"Bip01 {side} {joint}": f"Bip01 {parent.format(side)}".strip()
        for side in "LR"
        for joint, parent in {
            "Thigh": "", "Calf": "{} Thigh", "Foot": "{} Calf",
            "Clavicle": "Spine", "UpperArm": "{} Clavicle",
            "Forearm": "{} UpperArm", "Hand": "{} Forearm",
            "Finger0": "{} Hand",
        }.items()
    },
}  # fmt: skip


def rig(parents):
    return Skeleton(
        list(parents), [(j, p) for j, p in parents.items() if p is not None]
    )


def parts(skeleton):
    return {
        name: {skeleton.joints[j] for j in joints}
        for name, joints in skeleton.parts
    }


def test_mixamo():
    found = parts(rig(MIXAMO).with_named_parts())
    assert len(found) == 10
    assert found["left thigh"] == {"mixamorig:LeftUpLeg", "mixamorig:LeftLeg"}
    assert found["right crus"] == {
        "mixamorig:RightFoot", "mixamorig:RightToeBase",
    }  # fmt: skip
    assert found["left forearm"] == {
        "mixamorig:LeftHand", "mixamorig:LeftHandIndex1",
    }  # fmt: skip
    assert found["torso"] == {"mixamorig:Hips", "mixamorig:Spine"}
    assert found["head"] == {"mixamorig:Neck", "mixamorig:Head"}


def test_biped():
    found = parts(rig(BIPED).with_named_parts())
    assert found["left crus"] == {"Bip01 L Foot"}
    assert found["right forearm"] == {"Bip01 R Hand", "Bip01 R Finger0"}
    assert found["torso"] == {"Bip01", "Bip01 Spine"}


def test_names_that_tell_nothing():
    skeleton = Skeleton("abc", [(1, 0), (2, 1)])
    assert skeleton.with_named_parts() is skeleton


@pytest.mark.parametrize("name", ["ntu25", "cmu26", "h36m20", "cmu38"])
def test_parts_of_data_sets(name):
    """All joints but a few at the borders are where the layouts have them."""
    skeleton = Skeleton.get(name)
    told = parts(skeleton.with_named_parts())
    differing = {
        joint
        for part, joints in parts(skeleton).items()
        for joint in joints - told[part]
    }
    assert differing <= {"LeftForeArm", "RightForeArm", "lowerback", "Spine"}


@pytest.mark.parametrize("name", LAYOUTS)
def test_parts_are_on_one_side(name):
    skeleton = Skeleton.get(name)
    sides = body_sides(skeleton)
    for part, joints in skeleton.parts:
        found = {sides[j] for j in joints}
        if part.startswith(("left", "right")):
            assert found == {part.partition(" ")[0]}
