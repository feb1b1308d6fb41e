import pytest
import torch

from symgnn_pyg.nn import MultiScaleGCN

N, V = 2, 5


@pytest.fixture
def x():
    return torch.randn(N * V, 8, 3)


@pytest.fixture
def actional():
    return torch.randn(N, V, V).softmax(dim=-1)


@pytest.fixture
def gcn(arm):
    def build(channels=(4, 6, 8), strides=(1, 2, 2), fusion=(1, 2), **kwargs):
        return MultiScaleGCN(
            arm,
            3,
            channels,
            strides=strides,
            fusion=fusion,
            num_hops=2,
            kernel_size=3,
            **kwargs,
        )

    return build


@pytest.mark.parametrize(
    ("fusion", "width"), [((), 8), ((1,), 8), ((2,), 16), ((1, 2), 16)]
)
def test_fusion_doubles_the_width(gcn, x, actional, fusion, width):
    net = gcn(fusion=fusion)
    assert net.out_channels == width
    assert net(x, actional).shape == (N * V, width)
    doubled = 12 if 1 in fusion else 6
    assert net.joint_blocks[2].graph_conv.in_channels == doubled
    assert net.part_blocks[1].graph_conv.in_channels == doubled


@pytest.mark.parametrize("fusion", [(), (1,), (2,), (1, 2)])
@pytest.mark.parametrize("training", [True, False])
def test_order_of_the_blocks(gcn, x, actional, fusion, training):
    net = gcn(fusion=fusion, dropout=0.0).train(training)
    to_part, to_joint = net.joint_to_part, net.part_to_joint
    joint = net.joint_blocks[0](x, actional)
    part = to_part(joint)
    for i in (1, 2):
        joint = net.joint_blocks[i](joint, actional)
        part = net.part_blocks[i - 1](part)
        if i in fusion:
            joint, part = (
                torch.cat([joint, to_joint(part)], dim=-1),
                torch.cat([part, to_part(joint)], dim=-1),
            )
    expected = (joint + to_joint(part)).mean(dim=1)
    torch.testing.assert_close(net(x, actional), expected, rtol=1e-4, atol=1e-5)


def test_first_block_has_no_residual(gcn):
    for net in (gcn(), gcn(use_structural=False, use_actional=False)):
        blocks = net.joint_blocks or net.part_blocks
        assert blocks[0].residual is None
        assert all(block.residual is not None for block in blocks[1:])


@pytest.mark.parametrize("structural", [True, False])
@pytest.mark.parametrize("actional_", [True, False])
@pytest.mark.parametrize("part", [True, False])
def test_switches(gcn, x, actional, structural, actional_, part):
    if not (structural or actional_ or part):
        with pytest.raises(ValueError, match="At least one"):
            gcn(use_structural=False, use_actional=False, use_parts=False)
        return
    net = gcn(use_structural=structural, use_actional=actional_, use_parts=part)
    out = net(x, actional if actional_ else None)
    both = part and (structural or actional_)
    assert out.shape == (N * V, 16 if both else 8)
    assert len(net.joint_blocks) == (3 if structural or actional_ else 0)
    assert len(net.part_blocks) == (2 if both else 3 if part else 0)
    out.square().sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_parts_alone_give_equal_joints(gcn, x):
    out = gcn(use_structural=False, use_actional=False)(x).view(N, V, -1)
    torch.testing.assert_close(out[:, 1], out[:, 2])
    torch.testing.assert_close(out[:, 3], out[:, 4])
    assert not torch.allclose(out[:, 0], out[:, 1])


def test_one_block(gcn, x, actional):
    net = gcn((4,), (1,), (), use_parts=False)
    assert net(x, actional).shape == (N * V, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strides": (1, 2)}, r"\(1, 2\).*\(4, 6, 8\)"),
        ({"fusion": (0,)}, r"from 1 to 2, got \(0,\)"),
        ({"fusion": (3,)}, r"from 1 to 2, got \(3,\)"),
        (
            {"channels": (4,), "strides": (1,), "fusion": ()},
            "at least 2 widths",
        ),
        (
            {"channels": (), "strides": (), "fusion": (), "use_parts": False},
            "at least 1 widths",
        ),
    ],
)
def test_bad_arguments(gcn, arguments, message):
    with pytest.raises(ValueError, match=message):
        gcn(**arguments)
