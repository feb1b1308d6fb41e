import json

import numpy as np
import pytest

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io import read_coco


def entry(image, x, joints=17, score=0.5):
    return {
        "image_id": image, "category_id": 1, "score": 2.9,
        "keypoints": [x, 10.0, score] * joints,
    }  # fmt: skip


def read(document, **kwargs):
    return read_coco(json.dumps(document).encode(), "a.json", **kwargs)


@pytest.mark.parametrize(
    ("joints", "layout"),
    [(17, "coco17"), (25, "openpose25"), (133, "coco_wholebody133")],
)
def test_numbers_of_images_are_frames(joints, layout):
    entries = [entry(image, float(image), joints) for image in (12, 9, 10)]
    motion, skeleton, rate, _ = read(entries)
    assert motion.shape == (1, 4, joints, 3)
    assert (skeleton.name, rate) == (layout, None)
    # Nobody was found in image 11.
    expected = [[9, 10, 0.5], [10, 10, 0.5], [0, 0, 0], [12, 10, 0.5]]
    assert motion[0, :, 5].tolist() == expected


@pytest.mark.parametrize(
    "name",
    ["{}.jpg", "walk_{}.png", "cam2/{:06}.jp2", "{}", "take1 {} (b).jpg"],
)
def test_names_of_images_are_in_the_order_of_their_numbers(name):
    entries = [entry(name.format(i), float(i)) for i in (10, 9, 11, 8)]
    assert read(entries).frames[0, :, 0, 0].tolist() == [8, 9, 10, 11]


def test_bodies_are_linked_over_time():
    entries = [
        entry(0, 1.0), entry(0, 100.0, score=0.9), entry(2, 98.0),
        entry(2, 3.0, score=0.1),
    ]  # fmt: skip
    motion = read(entries, max_bodies=2).frames
    assert motion[:, :, 0, 0].tolist() == [[100, 0, 98], [1, 0, 3]]
    assert read(entries).frames[:, :, 0, 0].tolist() == [[100, 0, 98]]


def test_joints_that_were_not_found():
    body = entry(0, 5.0)
    body["keypoints"][3:9] = [7.0, 7.0, 0.0, 7.0, 7.0, -0.1]
    assert not read([body]).frames[0, 0, 1:3].any()


@pytest.mark.parametrize(
    ("people", "key"), [("people", "pose_keypoints_2d"), ("bodies", "joints")]
)
def test_bodies_by_image(people, key):
    document = {
        f"{i}.jpg": {"version": "AlphaPose", people: [{key: [i, 2, 0.5] * 18}]}
        for i in (1, 10, 9)
    }
    document["2.jpg"] = {people: []}
    motion, skeleton, _, _ = read(document)
    assert skeleton.name == "kinetics18"
    expected = np.zeros(10)
    expected[[0, 8, 9]] = [1, 9, 10]
    np.testing.assert_array_equal(motion[0, :, 0, 0], expected)


def instance(x, score=0.5, joints=17):
    return {
        "keypoints": [[x, 10.0]] * joints, "keypoint_scores": [score] * joints,
        "bbox": [[0.0, 0.0, 9.0, 9.0]], "bbox_score": 0.9,
    }  # fmt: skip


@pytest.mark.parametrize("from_demo", [False, True])
def test_instances_of_frames(from_demo):
    document = [
        {"frame_id": 7, "instances": [instance(7.0), instance(90.0, 0.1)]},
        {"frame_id": 8, "instances": []},
        {"frame_id": 9, "instances": [instance(9.0, 0.0), instance(8.0)]},
    ]
    if from_demo:
        meta = {"dataset_name": "coco", "num_keypoints": 17}
        document = {"meta_info": meta, "instance_info": document}
    motion, skeleton, _, _ = read(document)
    assert skeleton.name == "coco17"
    expected = [[7, 10, 0.5], [0, 0, 0], [8, 10, 0.5]]
    assert motion[0, :, 3].tolist() == expected


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([entry(0, 1.0), entry(1, 1.0, 26)], r"a\.json: expected bodies of 17, "
         r".* got 17, 26; of Halpe's 26 or 136, keep the first 17"),
        ([entry(0, 1.0) | {"keypoints": [1.0] * 50}], r"a\.json, \[0\]: "
         r"expected x, y and score of each joint, got 50"),
        ([entry(0, 1.0), 5], r"a\.json, \[1\]: 'keypoints' must be a list"),
        ([entry(0, 1.0) | {"keypoints": ["1"] * 51}], r"must be 51 finite"),
        ([entry(None, 1.0)], r"\[0\]: expected 'image_id' as a whole .*'None'"),
        ([entry("last.jpg", 1.0)], r"\[0\]: expected 'image_id' .*'last.jpg'"),
        ([entry(True, 1.0)], r"\[0\]: expected 'image_id' as a whole .*'True'"),
        ([entry("a1.jpg", 1.0), entry("b1.jpg", 1.0)], r"images of one video, "
         r"which differ in a number, got a\*\.jpg, b\*\.jpg; split the file"),
        ([entry("1.5", 1.0), entry("2.5", 1.0)], r"got 1\.\*, 2\.\*; split"),
        ([entry(1, 1.0), entry("a2.jpg", 1.0)], r"got \*, a\*\.jpg; split"),
        ([entry(7, 1.0), entry(397133, 1.0)], r"\[1\]: image 397133 is 397126 "
         r"after the first, but only 2 images show a body; split the "),
        ({"images": [], "annotations": []}, r"expected a list of results with "
         r"'image_id' and 'keypoints', not annotations"),
        ([{"frame_id": 1, "instances": 5}], r"\[0\]: 'instances' must be a li"),
        ([{"instances": [instance(1.0)]}], r"or 'frame_id' beside .*'None'"),
        ({"instance_info": [{"frame_id": 1, "instances": [
            instance(1.0) | {"keypoints": [[1.0, 2.0, 3.0]] * 17}]}]},
         r"a\.json, instance_info, \[0\]\.instances\[0\]: expected x and y of "
         r"each joint .*; save 3-D joints with numpy\.save\("),
        ([{"frame_id": 1, "instances": [
            instance(1.0) | {"keypoint_scores": [0.5]}]}],
         r"expected x and y of each joint in 'keypoints', and its score"),
        ([{"frame_id": 1, "instances": [instance("1")]}], "51 finite numbers"),
        ([{"name": "person", "keypoints": {"x": [1.0], "y": [2.0]}}],
         r"\[0\]: 'keypoints' as Ultralytics writes .*; save json\.dumps\("),
        ({"0.jpg": 5}, r"a\.json, '0\.jpg': 'bodies' must be a list"),
    ],
)  # fmt: skip
def test_faults_are_named(document, message):
    with pytest.raises(DataError, match=message):
        read(document)


@pytest.mark.parametrize(
    "document", [[], {}, [entry(3, 1.0) | {"keypoints": []}]]
)
def test_nobody(document):
    with pytest.raises(EmptyRecordingError, match=r"a\.json shows no body"):
        read(document)
