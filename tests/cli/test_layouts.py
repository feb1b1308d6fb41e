import json

from symgnn_pyg import Skeleton
from symgnn_pyg.cli.arguments import read_skeleton
from symgnn_pyg.skeleton.layouts import LAYOUTS


def test_table_has_every_layout(ok):
    rows = [line.split() for line in ok("layouts").splitlines()[1:]]
    for name, row in zip(LAYOUTS, rows, strict=True):
        skeleton = Skeleton.get(name)
        sizes = skeleton.num_joints, skeleton.num_bones, skeleton.num_parts
        assert row == [name, *map(str, (*sizes, len(skeleton.pairs)))]


def test_one_layout(ok):
    lines = ok("layouts", "COCO keypoints").splitlines()
    assert lines[0].startswith("coco17: 17 joints, 16 bones")
    shown = [" ".join(line.split()) for line in lines]
    assert "7 left elbow left shoulder left upper arm right elbow" in shown
    assert "0 nose - head -" in shown


def test_links_are_listed(ok):
    assert all("links: " not in ok("layouts", n) for n in ("coco17", "ntu25"))


def test_json_is_a_skeleton_file(ok, tmp_path):
    path = tmp_path / "skeleton.json"
    path.write_text(ok("layouts", "ntu25", "--json"))
    assert read_skeleton(path) == Skeleton.get("ntu25")
    assert json.loads(path.read_text())["centre"] == 20
