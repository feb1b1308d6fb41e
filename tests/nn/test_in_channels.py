"""What `test_every_layer.py` does not check of `in_channels=-1`."""

import copy

import pytest
import torch

from symgnn_pyg import nn
from symgnn_pyg.nn import baselines

LAYERS = {
    "ActionalGraphConv": nn.ActionalGraphConv,
    "GraphMixConv": nn.GraphMixConv,
    "JGTCBlock": nn.JGTCBlock,
    "JointGraphConv": nn.JointGraphConv,
    "PGTCBlock": nn.PGTCBlock,
    "PartGraphConv": nn.PartGraphConv,
    "StructuralGraphConv": lambda c, d: nn.StructuralGraphConv(
        c, d, num_hops=1
    ),
    "TemporalConv": nn.TemporalConv,
}
CONVS = [name for name in LAYERS if "Block" not in name]
SEVERAL = {"JGTCBlock": 4, "JointGraphConv": 4}  # their columns of weights


@pytest.fixture
def x(dtype):
    return torch.randn(8, 6, 3, dtype=dtype)


def call(name, layer, x):
    if name == "TemporalConv":
        return layer(x)
    edges = torch.tensor([[0, 1, 2, 5], [1, 2, 2, 4]])
    weight = torch.ones(4, SEVERAL.get(name, 1), dtype=x.dtype)
    return layer(x=x, edge_index=edges, edge_weight=weight)


@pytest.mark.parametrize("name", CONVS)
def test_same_seed_same_weights(name, x):
    given, inferred = (LAYERS[name](c, 4).to(x.dtype) for c in (3, -1))
    torch.manual_seed(0)
    given.reset_parameters()
    torch.manual_seed(0)
    out = call(name, inferred, x)
    for key, weight in given.state_dict().items():
        assert torch.equal(inferred.state_dict()[key], weight)
    assert torch.equal(out, call(name, given, x))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("out_channels", [3, 4])
def test_what_is_known_afterwards(name, x, out_channels):
    given = LAYERS[name](3, out_channels).to(x.dtype)
    layer = LAYERS[name](-1, out_channels).to(x.dtype)
    loaded = copy.deepcopy(layer)
    assert layer.in_channels == -1
    assert repr(layer) != repr(given)
    call(name, layer, x)
    loaded.load_state_dict(given.state_dict())
    assert loaded.in_channels == layer.in_channels == 3
    assert torch.equal(
        call(name, loaded.eval(), x), call(name, given.eval(), x)
    )
    assert repr(loaded) == repr(layer) == repr(given)
    with pytest.raises((ValueError, RuntimeError), match="3 channels"):
        call(name, layer, x[..., :2])


def test_repr():
    layer = nn.JointGraphConv(-1, 64, "ntu25")
    assert repr(layer) == "JointGraphConv(-1, 64, num_graphs=4)"
    agim = nn.ActionalGraphInference(-1, "ntu25")
    agim(torch.randn(25, 10, 3))
    assert agim.in_channels == agim.joint_mlp.in_channels == 30
    with pytest.raises(ValueError, match=r"T \* C = 30"):
        agim(torch.randn(25, 10, 2))


def test_blocks_after_blocks_learn():
    net = torch.nn.Sequential(
        nn.PGTCBlock(-1, 3, "cmu26"),
        nn.PGTCBlock(-1, 4, "cmu26", stride=2),
        nn.PGTCBlock(-1, 4, "cmu26"),
    )
    x = torch.randn(2 * net[0].graph_conv.masked_graph.mask.size(1), 6, 3)
    with torch.inference_mode():
        net(x)
    identity = [isinstance(b.residual, torch.nn.Identity) for b in net]
    assert identity == [True, False, True]
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    before = copy.deepcopy(net.state_dict())
    net(x).square().sum().backward()
    optimizer.step()
    for name, weight in net.named_parameters():
        assert not torch.equal(weight, before[name]), name


def test_no_residual_connection_appears(x):
    block = nn.PGTCBlock(-1, 3, residual=False).to(x.dtype)
    call("PGTCBlock", block, x)
    assert block.residual is None


@pytest.mark.parametrize("name", LAYERS)
def test_before_the_first_batch(name, x):
    layer = LAYERS[name](-1, 4)
    with pytest.raises(ValueError, match="uninitialized parameter"):
        sum(weight.sum() for weight in layer.parameters())
    layer.reset_parameters()
    other = LAYERS[name](-1, 4)
    other.load_state_dict(layer.state_dict())
    with pytest.raises(RuntimeError, match="uninitialized parameter"):
        LAYERS[name](3, 4).load_state_dict(layer.state_dict())
    call(name, other.to(x.dtype), x)
    assert other.in_channels == 3


def test_a_state_of_other_sizes():
    layer = nn.StructuralGraphConv(-1, 4, num_hops=2)
    with pytest.raises(RuntimeError, match=r"size mismatch for weight"):
        layer.load_state_dict(
            nn.StructuralGraphConv(3, 5, num_hops=2).state_dict()
        )


def test_other_devices():
    with torch.device("meta"):
        block = nn.PGTCBlock(-1, 4, "cmu26")
        block(torch.empty(10, 6, 3))
    assert block.graph_conv.weight.shape == (1, 3, 4)
    assert all(weight.is_meta for weight in block.parameters())


def test_inputs_that_are_not_one_tensor(x):
    layer = nn.PartGraphConv(-1, 4)
    for wrong in ((x, x), None):
        with pytest.raises(TypeError, match="Expected 'x' to be a"):
            layer(wrong, torch.zeros(2, 0, dtype=torch.long))
    assert layer.in_channels == -1


@pytest.mark.parametrize("name", LAYERS)
def test_other_sizes_are_refused(name):
    for size in (0, -2):
        with pytest.raises(ValueError, match=f"at least 1, got {size}"):
            LAYERS[name](size, 4)


@pytest.mark.parametrize(
    "network",
    [
        lambda: nn.SymGNN("cmu26", 2, in_channels=-1),
        lambda: baselines.STGCN("cmu26", 2, in_channels=-1),
    ],
)
def test_networks_infer_no_sizes(network):
    with pytest.raises(ValueError, match="not inferred from the first batch"):
        network()


@pytest.mark.parametrize("name", LAYERS)
def test_inputs_without_channels(name, x):
    layer = LAYERS[name](-1, 4).to(x.dtype)
    for wrong in (x[..., :0], x[0, 0], x[0, 0, 0]):
        with pytest.raises(ValueError, match="at least one channel last, got"):
            call(name, layer, wrong)
    call(name, layer, x)
    assert layer.in_channels == 3


def test_sizes_that_are_not_integers():
    with pytest.raises(TypeError, match=r"must be an integer, got -1\.0"):
        nn.TemporalConv(-1.0, 4)
