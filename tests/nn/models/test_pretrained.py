import json
import math
import pickle
from itertools import pairwise

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from symgnn_pyg import Skeleton
from symgnn_pyg.data import bone_features
from symgnn_pyg.errors import DataError
from symgnn_pyg.nn import DualSymGNN, SymGNN
from symgnn_pyg.nn.models import pretrained_files
from tests.conftest import TINY

CHAIN = [[i + 1, i] for i in range(1000)]
NO_PARTS = {"parts": None, "part_bones": None, "offsets": None}


@pytest.fixture
def net(arm):
    return SymGNN(arm, 4, **TINY).eval()


@pytest.fixture
def folder(net, tmp_path):
    net.save_pretrained(tmp_path / "net", classes=["a", "b", "c", "d"])
    return tmp_path / "net"


def test_round_trip(net, folder, arm):
    again = SymGNN.from_pretrained(folder, skeleton=arm)
    x = torch.randn(10, 8, 3)
    for one, other in zip(net(x), again(x), strict=True):
        assert torch.equal(one, other)
    assert not again.training
    assert again.about == {"classes": ["a", "b", "c", "d"]}
    assert again.skeleton == arm


def test_numbers_of_numpy_and_torch(arm, tmp_path):
    """A count of classes or a metric is often one of these."""
    arguments = {**TINY, "channels": np.array([4, 6]), "orders": range(2)}
    net = SymGNN(arm, np.int64(4), **arguments).eval()
    about = {"top_1": np.float32(0.5), "mean": torch.ones(2, 1)}
    net.save_pretrained(tmp_path / "net", **about)
    again = SymGNN.from_pretrained(tmp_path / "net")
    x = torch.randn(10, 8, 3)
    assert torch.equal(net(x).future, again(x).future)
    assert again.about == {"top_1": 0.5, "mean": [[1.0], [1.0]]}


def test_what_json_cannot_hold(net, tmp_path):
    with pytest.raises(TypeError, match=r"JSON can hold.* got object"):
        net.save_pretrained(tmp_path / "net", thing=object())
    assert not (tmp_path / "net").exists()


def test_the_folder_around_a_network(net, tmp_path):
    net.save_pretrained(tmp_path / "model")
    with pytest.raises(FileNotFoundError, match=r"did you mean .*/model\?"):
        SymGNN.from_pretrained(tmp_path)


def test_weights_of_the_library_have_no_subfolders():
    with pytest.raises(FileNotFoundError, match=r"no file .*half"):
        SymGNN.from_pretrained("cmu-light-short", subfolder="half")


def test_saved_again_is_the_same(folder, tmp_path):
    again = SymGNN.from_pretrained(folder)
    again.save_pretrained(tmp_path / "again", **again.about)
    for name in ("config.json", "model.safetensors"):
        one, other = folder / name, tmp_path / "again" / name
        assert one.read_bytes() == other.read_bytes()


def test_light_and_full_are_remembered(tmp_path):
    skeleton = Skeleton.get("kinetics18")
    net = SymGNN.light(skeleton, 3, num_hops=2, num_future=0)
    net.save_pretrained(tmp_path)
    again = SymGNN.from_pretrained(tmp_path)
    assert again.prediction_head is None
    assert again.arguments["num_hops"] == 2


OLD_MODULES = {
    "actional_inference": "actional",
    "recognition_head": "recognition",
    "prediction_head": "prediction",
}


def old_names(state):
    """Weights under the names that version 0.1 gave them."""
    names = {}
    for name in state:
        parts = name.split(".")
        names[name] = ".".join(OLD_MODULES.get(part, part) for part in parts)
    return {names[name]: tensor.clone() for name, tensor in state.items()}


def write_as_version_0_1(folder, dropped=()):
    """Rewrites a saved network with the names of version 0.1."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    old = config["arguments"]
    for name in ("observed", "future"):
        old[name] = old.pop(f"num_{name}")
    for flag, name in (
        ("structural", "use_structural"),
        ("actional", "use_actional"),
        ("part", "use_parts"),
    ):
        old[flag] = old.pop(name)
    for flag in ("recognition", "prediction"):
        old[flag] = flag not in dropped
    path.write_text(json.dumps(config))
    weights = folder / "model.safetensors"
    save_file(old_names(load_file(weights)), weights)


def test_reads_the_names_of_version_0_1(net, folder):
    write_as_version_0_1(folder)
    again = SymGNN.from_pretrained(folder)
    assert again.arguments == net.arguments
    x = torch.randn(10, 8, 3)
    for one, other in zip(net(x), again(x), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("head", "size"),
    [("recognition", "num_classes"), ("prediction", "num_future")],
)
def test_reads_a_head_left_out_by_version_0_1(arm, tmp_path, head, size):
    net = SymGNN(arm, **{**TINY, "num_classes": 4, size: 0}).eval()
    net.save_pretrained(tmp_path)
    # The flag decided, whatever the size.
    change(tmp_path, arguments={**net.to_config(), size: 3})
    write_as_version_0_1(tmp_path, dropped=[head])
    again = SymGNN.from_pretrained(tmp_path)
    assert again.arguments == net.arguments
    assert torch.equal(again(torch.zeros(5, 8, 3)).shared,
                       net(torch.zeros(5, 8, 3)).shared)  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "model.", "module.model."])
def test_state_dict_of_version_0_1(net, arm, prefix):
    """As in a checkpoint of Lightning, which holds a task."""
    state = {
        prefix + name: t for name, t in old_names(net.state_dict()).items()
    }
    outer = other = SymGNN(arm, 4, **TINY)
    for name in reversed(prefix.split(".")[:-1]):
        outer = torch.nn.ModuleDict({name: outer})
    outer.load_state_dict(state)
    for name, tensor in net.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor), name


def test_dual_of_version_0_1(arm, tmp_path):
    net = DualSymGNN(SymGNN(arm, 4, **TINY), SymGNN(arm.dual(), 4, **TINY))
    other = DualSymGNN(SymGNN(arm, 4, **TINY), SymGNN(arm.dual(), 4, **TINY))
    net.save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    save_file(old_names(load_file(weights)), weights)
    again = DualSymGNN.from_pretrained(tmp_path)
    other.load_state_dict(old_names(net.state_dict()))
    for name, tensor in net.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
        assert torch.equal(other.state_dict()[name], tensor), name


def test_pickles_with_its_arguments(net):
    again = pickle.loads(pickle.dumps(net))
    assert again.arguments == net.arguments


def change(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def fine_tuned(kind, folder, **changes):
    """The network with other arguments, and the weights that are new."""
    with pytest.warns(UserWarning, match="do not fit and are new"):
        made = kind.from_pretrained(folder, **changes)
    assert not made.training
    return made, set(made.new_weights)


def assert_kept(made, before, new):
    """All other weights are those of the saved network."""
    found, known = made.state_dict(), before.state_dict()
    for name in found.keys() - new - {"skeleton_id"}:
        assert torch.equal(found[name], known[name]), name


HEAD = {"recognition_head.classify.weight", "recognition_head.classify.bias"}
LABELS = {"prediction_head.step.gru.weight_ih"}
INPUT = {"actional_inference.joint_mlp.lins.0.weight"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"num_classes": 7}, HEAD | LABELS), ({"num_classes": 0}, LABELS),
     ({"num_observed": 9}, INPUT)],
)  # fmt: skip
def test_other_sizes_keep_what_fits(net, folder, tmp_path, changes, expected):
    made, new = fine_tuned(SymGNN, folder, **changes)
    assert new == expected
    assert_kept(made, net, new)
    assert ("classes" in made.about) == ("num_classes" not in changes)
    out = made(torch.randn(10, made.num_observed, 3))
    assert out.future.shape == (10, 2, 3)
    # It can be saved as any other.
    made.save_pretrained(tmp_path / "tuned")
    again = SymGNN.from_pretrained(tmp_path / "tuned")
    assert_kept(again, made, set())
    assert again.new_weights == ()


def test_another_horizon_keeps_all(net, folder):
    made = SymGNN.from_pretrained(folder, num_future=5)
    assert made(torch.randn(10, 8, 3)).future.shape == (10, 5, 3)
    assert_kept(made, net, set())


@pytest.mark.parametrize("num_joints", [5, 7])
def test_another_skeleton_keeps_what_is_not_of_joints(net, folder, num_joints):
    """Even if it has as many joints."""
    other = Skeleton(
        [f"j{i}" for i in range(num_joints)],
        [(i + 1, i) for i in range(num_joints - 1)],
    )
    made, new = fine_tuned(SymGNN, folder, skeleton=other)
    masks = {name for name in made.state_dict() if name.endswith(".mask")}
    assert masks
    assert new == masks
    assert all((made.state_dict()[name] == 1).all() for name in masks)
    assert_kept(made, net, new)
    assert made.skeleton == other
    assert made(torch.randn(num_joints, 8, 3)).logits.shape == (1, 4)


def test_unknown_change(folder):
    with pytest.raises(TypeError, match="colour"):
        SymGNN.from_pretrained(folder, colour="red")


def test_frozen_layers_keep_their_statistics(folder):
    made, _ = fine_tuned(SymGNN, folder, num_classes=3)
    made.branches.requires_grad_(False)
    made.train()
    before = {name: b.clone() for name, b in made.named_buffers()}
    made(torch.randn(10, 8, 3))
    changed = {
        name.split(".")[0]
        for name, buffer in made.named_buffers()
        if not torch.equal(buffer, before[name])
    }
    assert changed == {"actional_inference", "recognition_head"}


@pytest.mark.parametrize(
    ("module", "replacement"),
    [
        ("recognition_head.classify", torch.nn.Linear(8, 7)),
        ("recognition_head.classify", torch.nn.Sequential()),
        ("recognition_head.fuse.norms.0", torch.nn.GroupNorm(1, 8)),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(
    net, tmp_path, module, replacement
):
    net.set_submodule(module, replacement)
    with pytest.raises(ValueError, match=r"do not build its modules recog"):
        net.save_pretrained(tmp_path / "net")
    assert not (tmp_path / "net").exists()


def test_synchronised_norms_are_saved(net, tmp_path):
    torch.nn.SyncBatchNorm.convert_sync_batchnorm(net).save_pretrained(tmp_path)
    assert SymGNN.from_pretrained(tmp_path)


def test_another_head_within_the_network(net):
    net.recognition_head.classify = torch.nn.Linear(8, 7)
    with pytest.raises(ValueError, match="7 scores in a network of 4 classes"):
        net(torch.randn(10, 8, 3))


def test_newer_version(folder):
    change(folder, library_version="99.1.0")
    with pytest.raises(DataError, match=r"symgnn_pyg 99\.1\.0, .* newer"):
        SymGNN.from_pretrained(folder)


def test_another_class(folder):
    change(folder, **{"class": "DualSymGNN"})
    with pytest.raises(
        DataError, match=r"Expected a SymGNN in .*, got a DualSymGNN"
    ):
        SymGNN.from_pretrained(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"arguments": {}},
        {"arguments": 5},
        {"arguments": {"skeleton": {"joints": []}, "num_classes": 4}},
        {"library_version": None},
        {"class": 7},
        {"about": None},
    ],
)
def test_spoiled_config(folder, changes):
    change(folder, **changes)
    with pytest.raises(
        DataError, match=r"config\.json does not describe a network"
    ):
        SymGNN.from_pretrained(folder)


def test_config_that_is_no_json(folder):
    (folder / "config.json").write_text("[" * 100_000)
    with pytest.raises(
        DataError, match=r"config\.json does not describe a network"
    ):
        SymGNN.from_pretrained(folder)


def test_unknown_argument(folder):
    config = json.loads((folder / "config.json").read_text())
    change(folder, arguments={**config["arguments"], "wings": 2})
    with pytest.raises(DataError, match="wings"):
        SymGNN.from_pretrained(folder)


def test_weights_of_another_network(folder):
    path = folder / "model.safetensors"
    weights = load_file(path)
    weights.popitem()
    save_file(weights, path)
    with pytest.raises(DataError, match=r"does not fit .*1 weights are missi"):
        SymGNN.from_pretrained(folder)


def test_truncated_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(
        DataError, match=r"Expected weights in safetensors format"
    ):
        SymGNN.from_pretrained(folder)


@pytest.mark.parametrize("device", [False, True])
@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_missing_file(folder, name, device):
    """Devices are not read."""
    (folder / name).unlink()
    if device:
        (folder / name).symlink_to("/dev/null")
    with pytest.raises(FileNotFoundError, match=name):
        SymGNN.from_pretrained(folder)


def test_half_the_size(net, tmp_path):
    net.save_pretrained(tmp_path / "whole")
    net.save_pretrained(tmp_path / "half", dtype=torch.half)
    whole, half = (
        (tmp_path / name / "model.safetensors").stat().st_size
        for name in ("whole", "half")
    )
    assert half < 0.7 * whole
    again = SymGNN.from_pretrained(tmp_path / "half")
    for name, tensor in again.state_dict().items():
        kept = net.state_dict()[name]
        assert tensor.dtype == kept.dtype
        near = kept.half() if kept.is_floating_point() else kept
        assert torch.equal(tensor, near.to(kept.dtype))


def test_no_folder(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"no folder .*absent; expected"
    ):
        SymGNN.from_pretrained(tmp_path / "absent")


# Dual network ################################################################


@pytest.fixture
def dual(arm):
    joint, bone = SymGNN(arm, 4, **TINY), SymGNN(arm.dual(), 4, **TINY)
    return DualSymGNN(
        joint, bone, recognition_weight=0.3, prediction_weight=0.8
    ).eval()


def test_dual_round_trip(dual, arm, tmp_path):
    """Weights of the fusion and all."""
    dual.save_pretrained(tmp_path, classes=["a"])
    again = DualSymGNN.from_pretrained(tmp_path, skeleton=arm)
    x = torch.randn(10, 8, 3)
    bones = bone_features(x, arm)
    one, other = dual(x, bones), again(x, bones)
    assert torch.equal(one.logits, other.logits)
    assert torch.equal(one.future, other.future)
    assert float(again.recognition_weight) == pytest.approx(0.3)
    assert float(again.prediction_weight) == pytest.approx(0.8)
    assert again.about == {"classes": ["a"]}
    assert not again.training
    assert again.skeleton == arm
    assert again.bone.skeleton == arm.dual()


def test_dual_of_another_skeleton(dual, tmp_path):
    dual.save_pretrained(tmp_path)
    ntu = Skeleton.get("ntu25")
    made, new = fine_tuned(DualSymGNN, tmp_path, skeleton=ntu)
    assert made.bone.fits(ntu.dual())
    assert {name.rsplit(".")[-1] for name in new} == {"mask"}
    assert {name.split(".")[0] for name in new} == {"joint", "bone"}
    with pytest.raises(
        DataError, match=r"Expected a SymGNN in .*, got a DualSymGNN"
    ):
        SymGNN.from_pretrained(tmp_path)


def test_dual_of_bones_in_another_order(dual, arm, tmp_path):
    """They are the nodes of one of its networks."""
    dual.save_pretrained(tmp_path)
    known = arm.to_dict()
    turned = Skeleton(**{**known, "bones": known["bones"][::-1]})
    assert dual.joint.fits(turned)
    made, new = fine_tuned(DualSymGNN, tmp_path, skeleton=turned)
    assert new
    assert made.fits(turned)


@pytest.mark.parametrize("part", ["joint", "bone"])
def test_dual_spoiled_config(dual, tmp_path, part):
    dual.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())["arguments"]
    other = {"joint": "bone", "bone": "joint"}[part]
    for arguments in (
        {other: config[other]},
        {**config, part: 5},
        {**config, part: {**config[part], "num_classes": 3}},
        {**config, part: config[other]},
    ):
        change(tmp_path, arguments=arguments)
        with pytest.raises(DataError, match="does not describe a network"):
            DualSymGNN.from_pretrained(tmp_path)


def spoil(folder, **arguments):
    config = json.loads((folder / "config.json").read_text())
    change(folder, arguments={**config["arguments"], **arguments})


@pytest.mark.parametrize(
    "arguments",
    [
        {"hidden_channels": 10**9},
        {"num_classes": 10**12},
        {"num_observed": 10**12},
        {"num_hops": 10**8},
        {"num_iterations": 10**8},
        {"channels": [4] * 101, "strides": [1] * 101},
        {"channels": [-4, -6]},
        {"kernel_size": -1},
    ],
    ids=str,
)
def test_nothing_is_built_that_the_weights_do_not_fill(folder, arguments):
    spoil(folder, **arguments)
    with pytest.raises(
        DataError, match=r"does not fit|does not describe a network"
    ):
        SymGNN.from_pretrained(folder)


@pytest.mark.parametrize(
    "skeleton",
    [
        {"parts": [["body", [0, 1, 2, 3, 4]]]},
        {"offsets": [[10**400] * 3] * 5},
        {"joints": [*map(str, range(1001))], "bones": CHAIN, **NO_PARTS},
        {"name": "\x1b[2J"},
    ],
    ids=["parts", "offsets", "joints", "name"],
)
def test_spoiled_skeleton(folder, arm, skeleton):
    spoil(folder, skeleton={**arm.to_dict(), **skeleton})
    with pytest.raises(
        DataError, match=r"config\.json does not describe a network"
    ):
        SymGNN.from_pretrained(folder)


@pytest.mark.parametrize("known", [5, math.nan, [1, 2]])
def test_weights_of_another_skeleton(folder, known):
    path = folder / "model.safetensors"
    weights = {**load_file(path), "skeleton_id": torch.tensor(known)}
    save_file(weights, path)
    with pytest.raises(DataError, match="does not fit the network"):
        SymGNN.from_pretrained(folder)


def test_parts_that_no_weight_fills(net, folder, monkeypatch):
    weights = folder / "model.safetensors"
    pretrained_files.check_weights(weights, net)
    most = -4 * weights.stat().st_size
    monkeypatch.setattr(pretrained_files, "MOST_BUFFERS", most)
    with pytest.raises(DataError, match="bytes in addition to its weights"):
        pretrained_files.check_weights(weights, net)


def test_config_without_part_bones(net, folder, arm):
    skeleton = arm.to_dict()
    del skeleton["part_bones"]
    spoil(folder, skeleton=skeleton)
    assert SymGNN.from_pretrained(folder).skeleton == arm


def test_what_could_not_be_read_is_not_written(tmp_path):
    names = [str(i) for i in range(1001)]
    chain = Skeleton.from_bones(pairwise(names))
    model = SymGNN(
        chain, 2, **{**TINY, "use_structural": False, "use_parts": False}
    )
    with pytest.raises(
        ValueError, match="'joints' must be at most 1000, got 1001"
    ):
        model.save_pretrained(tmp_path)


def test_classes_with_control_characters(folder):
    change(folder, about={"classes": ["a", "\x1b[2J"]})
    with pytest.raises(DataError, match="control characters"):
        SymGNN.from_pretrained(folder)
