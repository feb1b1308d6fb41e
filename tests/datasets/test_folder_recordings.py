import re
import warnings

import numpy as np
import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.datasets.skeleton_folder import SkeletonFolder
from symgnn_pyg.errors import DataError
from tests.datasets.motion_folder import (
    ARM,
    ASF,
    SHORT,
    amc,
    bvh,
    open_all,
    poses,
    write,
)
from tests.io.ntu_document import document as ntu_document
from tests.io.ntu_document import poses as ntu_poses


def test_tables_with_a_time(tmp_path):
    for i in range(3):
        table = np.column_stack([np.arange(8), poses(8, i).reshape(8, 9)])
        lines = ["\t".join(map(str, row)) for row in table]
        write(tmp_path / f"own/wave/{i}.tsv", "\n".join(lines))
    with pytest.raises(DataError, match=r"10 columns.*pass index_columns=1"):
        open_all(tmp_path / "own")
    data = open_all(tmp_path / "own", index_columns=1)[0]
    assert data.x.shape == (3, 3, 3)


def test_several_bodies(tmp_path):
    motion = poses(8, shape=(2, 3, 3)).swapaxes(0, 1)  # [B, T, V, C]
    for i in range(3):
        write(tmp_path / f"own/hug/{i}.npy", motion)
    data = open_all(tmp_path / "own")[0]
    assert data.x.shape == (6, 3, 3)
    assert torch.equal(data.x[3:, 0], torch.from_numpy(motion[1, 0]))


def test_other_orders_of_axes(tmp_path):
    motion = poses(8, shape=(2, 3, 3)).swapaxes(0, 1)  # [M, T, V, C]
    for i in range(3):
        array = motion.transpose(3, 1, 2, 0)
        write(tmp_path / f"own/hug/{i}.npy", array[..., : 1 + bool(i)])
    data = open_all(tmp_path / "own", axes="CTVM", shares=(1, 0, 0))
    assert data[0].num_bodies.item() == 1
    assert data[4].num_bodies.item() == 2
    np.testing.assert_array_equal(data[4].x[3:, 0], motion[1, 0])
    with pytest.raises(DataError, match=r"0\.npy has .*axes='CTVM'"):
        open_all(tmp_path / "own")


def test_one_array_of_several(tmp_path):
    for i in range(3):
        path = tmp_path / f"own/hug/{i}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, keypoints=poses(8, i), scores=np.ones((8, 3)))
    with pytest.raises(DataError, match=r"0\.npz holds 2 .*pass the 'key'"):
        open_all(tmp_path / "own")
    dataset = open_all(tmp_path / "own", key="keypoints", shares=(1, 0, 0))
    np.testing.assert_array_equal(dataset[0].x[:, 0], poses(8, 0)[0])


def test_gaps_are_filled_on_request(tmp_path):
    motion = np.arange(8.0)[:, None, None] + np.zeros((8, 3, 3))
    holed = motion.copy()
    holed[1:3, 1] = np.nan
    for i in range(3):
        write(tmp_path / f"own/rise/{i}.npy", holed)
    rows = ",".join("0" * 9), ",,".join("11111"), ",".join("2" * 9)
    write(tmp_path / "own/rise/3.csv", "\n".join([*rows, *rows]))
    with pytest.raises(DataError, match=r"0\.npy: frame 1 holds"):
        open_all(tmp_path / "own")
    dataset = open_all(tmp_path / "own", fill_gaps=True, shares=(1, 0, 0))
    expected = torch.tensor([0.0, 1, 2]).view(3, 1).expand(3, 3, 3)
    torch.testing.assert_close(dataset[0].x, expected)
    torch.testing.assert_close(dataset[12].x, expected)


def test_bvh_brings_its_skeleton(tmp_path):
    for i in range(3):
        write(tmp_path / f"own/turn/{i}.bvh", bvh(length=1 + i))
    dataset = SkeletonFolder(tmp_path / "own", **SHORT)
    assert dataset.skeleton.joints == ("shoulder", "elbow", "elbow end")
    assert dataset.skeleton.bones == ((1, 0), (2, 1))
    assert dataset.skeleton.offsets is None
    assert dataset.skeleton.part_names == ("body",)
    length = 1 + int(dataset.store.names[dataset.windows[0].sequence][-1])
    expected = torch.tensor([[1.0, 0, 0], [1, length, 0], [1, 2 * length, 0]])
    torch.testing.assert_close(dataset[1].x[:, 0], expected)


def test_joints_are_taken_by_name(tmp_path):
    for i in range(3):
        write(tmp_path / f"own/turn/{i}.bvh", bvh())
    two = Skeleton(["elbow", "shoulder"], [("elbow", "shoulder")])
    dataset = SkeletonFolder(tmp_path / "own", two, **SHORT)
    expected = torch.tensor([[0.0, 1, 0], [0, 0, 0]])
    torch.testing.assert_close(dataset[0].x[:, 0], expected)
    with pytest.raises(DataError, match=r"bvh lacks hand of .*it has shoulder"):
        open_all(tmp_path / "own", path=tmp_path / "other.h5")


def test_amc_beside_its_asf(tmp_path):
    root = tmp_path / "own"
    write(root / "body.asf", ASF)
    for i in range(3):
        write(root / f"turn/{i}.amc", amc())
    dataset = SkeletonFolder(root, **SHORT)
    assert dataset.skeleton.joints == ("root", "upper", "upper end")
    expected = torch.tensor([[1.0, 0, 0], [1, 0, 0], [1, 2, 0]])
    torch.testing.assert_close(dataset[1].x[:, 0], expected)
    write(root / "body.asf", ASF.replace("length 2", "length 3"))
    assert SkeletonFolder(root, **SHORT)[0].x[2, 0, 1] == 3


def test_each_amc_has_the_asf_of_its_body(tmp_path):
    """The one beside it, or the one that its name starts with."""
    root = tmp_path / "own"
    lengths = {"a/07": 2, "b/08": 3, "b/09": 4}
    for asf, length in lengths.items():
        body = ASF.replace("length 2", f"length {length}")
        write(root / f"{asf}.asf", body)
    for name in ("a/x_01", "a/07_02", "b/08_01", "b/09_01", "b/09_02"):
        write(root / f"{name}.amc", amc())
    dataset = SkeletonFolder(root, shares=(1, 0, 0), **SHORT)
    found = {
        dataset.store.names[window.sequence]: float(data.x[2, 0, 1])
        for window, data in zip(dataset.windows, dataset, strict=True)
    }
    assert found == {
        "a/x_01": 2, "a/07_02": 2, "b/08_01": 3, "b/09_01": 4, "b/09_02": 4,
    }  # fmt: skip
    write(root / "b/10_01.amc", amc())
    with pytest.raises(DataError, match=r"one \.asf .*10_01.*b/08\.asf"):
        SkeletonFolder(root, shares=(1, 0, 0), **SHORT)


def test_other_skeletons_are_named(tmp_path):
    root = tmp_path / "own"
    for i in range(3):
        write(root / f"turn/{i}.bvh", bvh())
    write(root / "turn/3.bvh", bvh().replace("elbow", "knee"))
    message = r"3\.bvh has another skeleton than .*0\.bvh: .*elbow.*knee"
    with pytest.raises(DataError, match=message):
        SkeletonFolder(root, **SHORT)
    with pytest.warns(UserWarning, match=r"1 of 4 recordings were left out"):
        dataset = SkeletonFolder(root, skip_faulty=True, **SHORT)
    assert list(dataset.skipped) == ["turn/3.bvh"]


def test_other_frame_rates_are_named(tmp_path):
    root = tmp_path / "own"
    for i in range(3):
        write(root / f"turn/{i}.bvh", bvh(time=0.0333333 if i else 0.033))
    assert len(SkeletonFolder(root, **SHORT)) == 4
    write(root / "turn/3.bvh", bvh(time=0.0083333))
    write(root / "turn/4.bvh", bvh(time=0.0416667))
    with pytest.raises(DataError) as raised:
        SkeletonFolder(root, **SHORT)
    for file, rate in ((3, "120"), (4, "24")):
        message = rf"{file}\.bvh has {rate} frames per .*0\.bvh has 30\.3; pass"
        assert re.search(message, str(raised.value))


@pytest.mark.parametrize("rate", [15, 30, 60, 50])
def test_frame_rates_are_converted_on_request(tmp_path, rate):
    root = tmp_path / "own"
    for i, (count, own) in enumerate([(9, 30), (17, 60), (33, 120)]):
        # The body moves by one unit in a thirtieth of a second.
        text = bvh(count, time=1 / own, step=30 / own)
        write(root / f"turn/{i}.bvh", text)
    dataset = SkeletonFolder(
        root, frame_rate=rate, shares=(1, 0, 0), num_observed=2, num_future=1
    )
    assert set(dataset.store.lengths.tolist()) == {8 * rate // 30 + 1}
    for data in dataset:
        speed = (data.x[0, 1, 0] - data.x[0, 0, 0]) * rate / 30
        torch.testing.assert_close(speed, torch.tensor(1.0))
    np.save(root / "turn/x.npy", np.ones((8, 3, 3)))
    with pytest.raises(
        DataError, match=r"x\.npy does not state its frame rate"
    ):
        SkeletonFolder(root, frame_rate=rate)


def timed(times):
    """A hand that moves at even speed."""
    rows = [f"{t},1,1,1,2,2,2,3,3,{t}" for t in times]
    head = "time," + ",".join(
        f"{joint}_{axis}"
        for joint in ("shoulder", "elbow", "hand")
        for axis in "xyz"
    )
    return "\n".join([head, *rows])


def test_times_of_tables(tmp_path):
    """A hand that moves at even speed does so at each rate."""
    root = tmp_path / "own"
    arguments = {"shares": (1, 0, 0), "num_observed": 2, "num_future": 1}
    write(root / "a/0.csv", timed(np.arange(25) / 50))
    write(root / "a/1.csv", timed(np.arange(25) / 50))
    assert SkeletonFolder(root, ARM, **arguments).frame_rate == 50
    write(root / "a/2.csv", timed(np.arange(25) / 25))
    write(root / "a/3.csv", timed(np.cumsum(np.linspace(0.02, 0.04, 25))))
    with pytest.raises(DataError) as raised:
        SkeletonFolder(root, ARM, **arguments)
    text = str(raised.value)
    assert re.search(r"2\.csv has 25 frames .*0\.csv has 50; pass the", text)
    assert re.search(r"3\.csv, line \d+: the steps of 'time' are uneven", text)
    data = SkeletonFolder(root, ARM, frame_rate=20, **arguments)
    assert data.frame_rate == 20
    assert data.store.lengths.tolist() == [10, 10, 20, 15]
    hand = data.skeleton.index("hand")
    for sample in data:
        speed = (sample.x[hand, 1, 2] - sample.x[hand, 0, 2]) * 20
        torch.testing.assert_close(speed, torch.tensor(1.0))
    write(root / "a/4.csv", timed(np.arange(25) / 50).replace("time", "id"))
    with pytest.raises(DataError, match=r"4\.csv does not state its frame rat"):
        SkeletonFolder(root, ARM, frame_rate=20, **arguments)


def in_unit(unit):
    """A moving hand in a table that states its unit."""
    head, *rows = timed(np.arange(25) / 50).split("\n")
    return "\n".join([head, *(["s" + f",{unit}" * 9] if unit else []), *rows])


def open_in_units(folder, *units, **arguments):
    """The data set of a folder, to which a table in each unit is written."""
    for i, unit in enumerate(units):
        write(folder / f"own/a/{i}.csv", in_unit(unit))
    return SkeletonFolder(
        folder / "own", ARM, shares=(1, 0, 0), num_observed=2, num_future=1,
        **arguments,
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore:Tables in mm are read as they are")
def test_units_of_tables(tmp_path):
    assert open_in_units(tmp_path, "m", "[m]").unit == "m"
    with pytest.raises(DataError, match=r"2\.csv states no unit, but .*0\.csv "
                       "is in m; .*pass the 'unit'"):  # fmt: skip
        open_in_units(tmp_path, "m", "[m]", "")
    assert open_in_units(tmp_path, unit="Metres").unit == "Metres"
    # Although the prepared store is up to date.
    with pytest.raises(DataError, match=r"0\.csv states the unit m, expected "
                       "mm; convert the numbers, or"):  # fmt: skip
        open_in_units(tmp_path, unit="mm")
    with pytest.raises(DataError, match=r"2\.csv states the unit mm, but .*0\."
                       "csv is in m; convert them to one unit$"):  # fmt: skip
        open_in_units(tmp_path, "m", "[m]", "mm")


@pytest.mark.filterwarnings("ignore:Tables in mm are read as they are")
def test_a_unit_that_the_first_table_does_not_state(tmp_path):
    with pytest.raises(DataError, match=r"1\.csv states .* mm, but .*0\.csv "
                       "is in an unknown unit; .*pass the 'unit'"):  # fmt: skip
        open_in_units(tmp_path, "", "mm")
    assert open_in_units(tmp_path, unit="mm").unit == "mm"
    with pytest.raises(DataError, match=r"1\.csv .* mm, expected m;"):
        open_in_units(tmp_path, unit="m")


def test_a_rate_that_no_file_states(tmp_path):
    root = tmp_path / "own"
    write(root / "a/0.npy", poses(9))
    arguments = {"shares": (1, 0, 0), "num_observed": 2, "num_future": 1}
    assert SkeletonFolder(root, ARM, **arguments).frame_rate is None
    data = SkeletonFolder(root, ARM, frame_rate=30, **arguments)
    assert (data.frame_rate, len(data.store[0][0])) == (30, 9)


def test_the_rate_is_that_of_the_samples(tmp_path):
    root = tmp_path / "own"
    write(root / "a/0.csv", timed(np.arange(25) / 50))
    arguments = {"shares": (1, 0, 0), "num_observed": 2, "num_future": 1}
    for given in ({}, {"frame_rate": 50}):
        data = SkeletonFolder(root, ARM, stride=2, **given, **arguments)
        step = data[0].x[data.skeleton.index("hand"), :, 2].diff()
        torch.testing.assert_close(step, torch.tensor([1 / data.frame_rate]))


def test_a_faulty_file_may_be_the_first(tmp_path):
    root = tmp_path / "own"
    arguments = {"shares": (1, 0, 0), **SHORT}
    write(root / "turn/0.bvh", "nothing")
    with pytest.raises(DataError, match=r"0\.bvh, line 1: unexpected 'nothing"):
        SkeletonFolder(root, **arguments)
    write(root / "turn/1.bvh", bvh())
    with pytest.raises(DataError, match=r"0\.bvh, line 1: unexpected 'nothing"):
        SkeletonFolder(root, **arguments)
    with pytest.warns(UserWarning, match="1 of 2 recordings were left out"):
        data = SkeletonFolder(root, skip_faulty=True, **arguments)
    assert (data.store.sources, data.frame_rate) == (["turn/1.bvh"], 25)


def test_positions_are_no_rotations(tmp_path):
    write(tmp_path / "root/walk/0.bvh", bvh())
    with pytest.raises(ValueError, match=r"0\.bvh is read as positions, got k"):
        open_all(tmp_path / "root", skeleton=None, kind="rotation")


def test_skeleton_files_bring_their_layout(tmp_path):
    pair = {"a": ntu_poses(8), "b": ntu_poses(8, seed=1)}
    for i, bodies in enumerate(([pair["a"]], pair.values(), [pair["b"]])):
        frames = [dict(enumerate(poses)) for poses in zip(*bodies, strict=True)]
        path = tmp_path / "root" / "walk" / f"{i}.skeleton"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ntu_document(frames))
    dataset = SkeletonFolder(tmp_path / "root", shares=(1, 0, 0), **SHORT)
    assert dataset.skeleton == Skeleton.get("ntu25")
    assert sorted(dataset.store.bodies.tolist()) == [1, 1, 2]
    torch.testing.assert_close(
        dataset[0].x, torch.tensor(pair["a"][:3]).float().transpose(0, 1)
    )
    some = Skeleton.get("ntu25").subset(["spine", "neck"])
    picked = SkeletonFolder(tmp_path / "root", some, shares=(1, 0, 0), **SHORT)
    assert picked[0].x.shape == (2, 3, 3)


@pytest.mark.parametrize("kind", ["position", "rotation"])
def test_lost_markers_are_noted(tmp_path, kind):
    """A table is also read for its rate, but noted once."""
    path = tmp_path / "own/a/0.csv"
    lines = timed(np.arange(1, 10) / 50).split("\n")
    for i in (3, 4):
        lines[i] = lines[i].replace("2,2,2", "0,0,0")
    write(path, "\n".join(lines))
    arguments = {"shares": (1, 0, 0), "num_observed": 2, "num_future": 1}
    with warnings.catch_warnings(record=True) as caught:
        SkeletonFolder(tmp_path / "own", ARM, kind=kind, **arguments)
    found = [str(each.message) for each in caught]
    text = f"{path}: joint 'elbow' is zero in 2 of 9 frames: where"
    assert len(found) == (kind == "position")
    assert all(each.startswith(text) for each in found)
