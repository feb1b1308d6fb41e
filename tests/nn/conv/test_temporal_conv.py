import pytest
import torch

from symgnn_pyg.nn import TemporalConv


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [1, 3, 5, 9])
def test_is_a_convolution_in_time(kernel_size, stride, dtype):
    layer = TemporalConv(3, 4, kernel_size, stride=stride).to(dtype)
    conv = torch.nn.Conv1d(
        3, 4, kernel_size, stride, padding=kernel_size // 2, dtype=dtype
    )
    conv.load_state_dict(
        {
            "weight": layer.conv.weight.squeeze(2),
            "bias": layer.conv.bias,
        }
    )
    x = torch.randn(10, 7, 3, dtype=dtype)
    out = layer(x)
    assert out.shape == (10, -(-7 // stride), 4)
    torch.testing.assert_close(out, conv(x.mT).mT)


def test_dilation():
    layer = TemporalConv(2, 3, 5, stride=2, dilation=2).double()
    conv = torch.nn.Conv1d(2, 3, 5, 2, padding=4, dilation=2).double()
    conv.load_state_dict(
        {"weight": layer.conv.weight.squeeze(2), "bias": layer.conv.bias}
    )
    x = torch.randn(4, 9, 2, dtype=torch.double)
    assert layer(x).shape == (4, 5, 3)
    torch.testing.assert_close(layer(x), conv(x.mT).mT)
    with pytest.raises(ValueError, match="'dilation' must be at least 1"):
        TemporalConv(2, 3, 5, dilation=0)


def test_memory_is_node_major():
    out = TemporalConv(3, 4, 5, stride=2)(torch.randn(10, 8, 3))
    assert out.is_contiguous()


def test_no_nodes():
    assert TemporalConv(3, 4, 5, stride=2)(torch.randn(0, 7, 3)).shape == (
        0,
        4,
        4,
    )


@pytest.mark.parametrize("kernel_size", [2, 8])
def test_even_kernel(kernel_size):
    with pytest.raises(ValueError, match=f"got {kernel_size}"):
        TemporalConv(2, 2, kernel_size)


@pytest.mark.parametrize("nodes", [1, 7, 16, 40])
def test_any_number_and_order_of_nodes(nodes):
    layer = TemporalConv(3, 4, 5).double()
    x = torch.randn(8, nodes, 3, dtype=torch.double).transpose(0, 1)
    alone = torch.cat([layer(node) for node in x.split(1)])
    torch.testing.assert_close(layer(x), alone)


@pytest.mark.parametrize(
    "arguments",
    [
        {"kernel_size": (1, 1), "padding": (0, 1)},
        {"kernel_size": (1, 1), "stride": (2, 1)},
        {"kernel_size": (1, 1), "groups": 2},
        {"kernel_size": (3, 1), "padding": (1, 0)},
    ],
)
def test_another_conv2d_in_its_place(arguments):
    layer, x = TemporalConv(4, 6, 1), torch.randn(5, 7, 4)
    layer.conv = torch.nn.Conv2d(4, 6, **arguments)
    images = x.unsqueeze(1).permute(0, 3, 1, 2)
    rows = layer.conv(images).permute(0, 2, 3, 1).flatten(0, 1)
    torch.testing.assert_close(layer(x), rows)
