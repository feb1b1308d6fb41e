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
