"""The layouts of pose estimators against their documentation."""

import re

import networkx as nx
import pytest

from symgnn_pyg import Skeleton
from symgnn_pyg.skeleton.pose_layouts import ALIASES, LAYOUTS, SHARED

# Joints by their published index, and pairs that the estimators draw.
JOINTS = {
    "coco17": {0: "nose", 5: "left shoulder", 10: "right wrist",
               15: "left ankle", 16: "right ankle"},
    "coco_wholebody133": {17: "left big toe", 22: "right heel", 23: "face 1",
                          90: "face 68", 91: "left hand root",
                          111: "left hand pinky 4", 112: "right hand root"},
    "openpose25": {1: "neck", 8: "mid hip", 11: "right ankle",
                   14: "left ankle", 21: "left heel", 24: "right heel"},
    "mediapipe33": {9: "mouth left", 11: "left shoulder", 16: "right wrist",
                    17: "left pinky", 23: "left hip", 31: "left foot index"},
    "hand21": {0: "wrist", 4: "thumb 4", 5: "index 1", 20: "pinky 4"},
    "smpl22": {0: "pelvis", 15: "head", 21: "right wrist"},
    "smpl24": {12: "neck", 13: "left collar", 23: "right hand"},
    "h36m17": {0: "pelvis", 4: "left hip", 10: "head", 16: "right wrist"},
    "kinect20": {3: "head", 7: "left hand", 19: "right foot"},
}  # fmt: skip
BONES = {
    "coco17": "15-13 13-11 16-14 14-12 9-7 7-5 10-8 8-6 3-1 4-2 1-0 2-0",
    "coco_wholebody133": "91-9 92-91 95-94 112-10 17-15 22-16 23-24 83-84",
    "openpose25": "8-1 2-1 3-2 4-3 5-1 9-8 12-8 14-13 17-15 18-16 19-14 24-11",
    "mediapipe33": "1-0 7-3 13-11 15-13 17-15 19-15 21-15 25-23 27-25 29-27",
    "hand21": "1-0 2-1 5-0 6-5 9-0 13-0 17-0 20-19",
    "smpl22": "1-0 4-1 7-4 10-7 3-0 6-3 9-6 13-9 16-13 18-16 20-18 15-12",
    "smpl24": "22-20 23-21 12-9",
    "h36m17": "1-0 2-1 3-2 7-0 8-7 9-8 10-9 11-8 14-8 16-15",
    "kinect20": "1-0 2-1 3-2 4-2 7-6 12-0 15-14 16-0",
}
layouts = pytest.mark.parametrize("name", [one["name"] for one in LAYOUTS])


@layouts
def test_order_of_joints(name):
    skeleton = Skeleton.get(name)
    assert skeleton.num_joints == int(re.findall("[0-9]+", name)[-1])
    for index, joint in JOINTS[name].items():
        assert skeleton.joints[index] == joint


@layouts
def test_bones(name):
    skeleton = Skeleton.get(name)
    expected = {
        tuple(map(int, pair.split("-"))) for pair in BONES[name].split()
    }
    assert expected <= set(skeleton.bones)
    tree = nx.Graph(skeleton.bones)
    assert nx.is_tree(tree)
    assert len(tree) == skeleton.num_joints


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("coco17", "coco17"), ("COCO", "coco17"), ("COCO-17", "coco17"),
        ("coco wholebody", "coco_wholebody133"), ("BODY_25", "openpose25"),
        ("OpenPose", "openpose25"), ("BlazePose", "mediapipe33"),
        ("MediaPipe Hands", "hand21"), ("SMPL", "smpl24"),
        ("AMASS", "smpl22"), ("NTU-RGB+D", "ntu25"), ("ntu120", "ntu25"),
        ("Kinect v2", "ntu25"), ("Kinect v1", "kinect20"),
        ("Human3.6M 17", "h36m17"), ("Kinetics-Skeleton", "kinetics18"),
        ("CMU_26", "cmu26"),
    ],
)  # fmt: skip
def test_forgiving_names(given, name):
    assert Skeleton.get(given) is Skeleton.get(name)


@pytest.mark.parametrize("name", SHARED)
def test_names_of_several_layouts(name):
    with pytest.raises(ValueError, match=r"did you mean '\w+'( or '\w+')+\?"):
        Skeleton.get(name)


def test_names_that_are_nearly_right():
    with pytest.raises(ValueError, match=r"got 'mediapip'; did you mean 'medi"):
        Skeleton.get("mediapip")
    with pytest.raises(ValueError, match=r"one of 'ntu25', .*got 'xyzzy'$"):
        Skeleton.get("xyzzy")
    for name in ALIASES.values():
        assert Skeleton.get(name).name == name
