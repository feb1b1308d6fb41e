"""Batches that mix skeletons: what a layer of several skeletons computes is
what layers of one skeleton with the same weights compute sample by sample.
"""

import pytest
import torch
from torch_geometric.loader import DataLoader

from symgnn_pyg import Skeleton
from symgnn_pyg.data import SkeletonData
from symgnn_pyg.nn import (
    JGTCBlock,
    JointGraphConv,
    JointToPart,
    PartGraphConv,
    PartToJoint,
    PGTCBlock,
    StructuralGraphConv,
)

SKELETONS = [Skeleton.get(name) for name in ("kinetics18", "ntu25", "cmu26")]
BATCHES = [(1, 0, 2, 0), (2, 2, 1, 1, 1), (0,), (1, 1, 1)]
FRAMES, WIDTH, OUT = 4, 3, 5


def joint_conv(skeleton):
    return JointGraphConv(WIDTH, OUT, skeleton, num_hops=2)


def structural_conv(skeleton):
    return StructuralGraphConv(WIDTH, OUT, skeleton, num_hops=2)


def part_conv(skeleton):
    return PartGraphConv(WIDTH, OUT, skeleton)


def joint_block(skeleton):
    return JGTCBlock(WIDTH, OUT, skeleton, num_hops=2, stride=2)


def part_block(skeleton):
    return PGTCBlock(WIDTH, OUT, skeleton, kernel_size=3)


LAYERS = {
    "JointGraphConv": joint_conv,
    "StructuralGraphConv": structural_conv,
    "PartGraphConv": part_conv,
    "JGTCBlock": joint_block,
    "PGTCBlock": part_block,
    "JointToPart": JointToPart,
    "PartToJoint": PartToJoint,
}
ACTIONAL = {"JointGraphConv", "JGTCBlock"}
PARTS = {"PartGraphConv", "PGTCBlock", "PartToJoint"}


def alone(layer, make, kind):
    """The layer of one of the skeletons, with the same weights."""
    single = make(SKELETONS[kind]).to(torch.double)
    state = layer.state_dict()
    mask = f"masked_graph.{kind}.mask"
    own = {
        name.replace(mask, "masked_graph.mask"): value
        for name, value in state.items()
        if mask in name or "mask" not in name
    }
    single.load_state_dict(own)
    return single.train(layer.training)


def sizes(name, skeleton_type):
    return [
        SKELETONS[k].num_parts if name in PARTS else SKELETONS[k].num_joints
        for k in skeleton_type
    ]


@pytest.fixture(params=LAYERS)
def name(request):
    return request.param


@pytest.fixture
def layer(name):
    layer = LAYERS[name](SKELETONS).double().eval()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    return layer


def inputs(name, skeleton_type):
    rows = sizes(name, skeleton_type)
    x = torch.randn(sum(rows), FRAMES, WIDTH, dtype=torch.double)
    actional = ()
    if name in ACTIONAL:
        matrices = [torch.randn(v, v, dtype=torch.double) for v in rows]
        actional = ([m.softmax(dim=-1) for m in matrices],)
    return x, actional, rows


@pytest.mark.parametrize("skeleton_type", BATCHES)
def test_mixed_batch_equals_its_samples(name, layer, skeleton_type):
    x, actional, rows = inputs(name, skeleton_type)
    out = layer(x, *actional, skeleton_type=skeleton_type)
    parts = [
        alone(layer, LAYERS[name], kind)(
            part, *(graphs[n].unsqueeze(0) for graphs in actional)
        )
        for n, (kind, part) in enumerate(
            zip(skeleton_type, x.split(rows), strict=True)
        )
    ]
    torch.testing.assert_close(out, torch.cat(parts))


def test_masks_of_absent_skeletons_get_no_gradient():
    layer = LAYERS["StructuralGraphConv"](SKELETONS)
    layer(torch.randn(36, FRAMES, WIDTH), skeleton_type=(0, 0)).sum().backward()
    grads = [graph.mask.grad for graph in layer.masked_graph]
    assert grads[0].abs().sum() > 0
    assert grads[1] is None
    assert grads[2] is None


def test_kinds_from_a_loader():
    data = [
        SkeletonData(
            x=torch.randn(s.num_joints, FRAMES, WIDTH), y=0, skeleton=s
        )
        for s in (SKELETONS[2], SKELETONS[0], SKELETONS[1])
    ]
    (batch,) = DataLoader(data, batch_size=3)
    skeleton_type = [SKELETONS.index(s) for s in batch.skeleton]
    assert skeleton_type == [2, 0, 1]
    conv = structural_conv(SKELETONS)
    assert conv(batch.x, skeleton_type=skeleton_type).shape == (69, FRAMES, OUT)


def test_errors(name, layer):
    skeleton_type = (1, 0)
    x, actional, _ = inputs(name, skeleton_type)
    with pytest.raises(
        ValueError, match=r"3 skeletons requires 'skeleton_type'"
    ):
        layer(x, *actional)
    for wrong in (3, -1):
        with pytest.raises(ValueError, match=rf"from 0 to 2 .* got {wrong}"):
            layer(x, *actional, skeleton_type=(wrong, 0))
    with pytest.raises(
        ValueError, match=r"'x' (has|to have) \d+ rows|joints, in each"
    ):
        layer(x[:-1], *actional, skeleton_type=skeleton_type)
    with pytest.raises(ValueError, match="at least one skeleton"):
        LAYERS[name]([])
    single = alone(layer, LAYERS[name], 1)
    one = tuple(graphs[:1] for graphs in actional)
    with pytest.raises(
        ValueError, match="'skeleton_type' must be None for a layer"
    ):
        single(x[: sizes(name, (1,))[0]], *one, skeleton_type=(1,))


def test_empty_batch(name, layer):
    x, actional, _ = inputs(name, ())
    out = layer(x, *actional, skeleton_type=())
    assert out.shape[0] == 0
