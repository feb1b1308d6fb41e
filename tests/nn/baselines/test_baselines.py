import inspect

import pytest
import torch
from torch.nn import Dropout, Dropout2d

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import SymbioticLoss
from symgnn_pyg.nn.baselines import (
    AGCN,
    ASGCN,
    HCN,
    LTD,
    PREDICTION,
    RECOGNITION,
    RIVALS,
    STGCN,
    ResidualGRU,
    ZeroVelocity,
)
from symgnn_pyg.nn.baselines.agcn import AdaptiveGraphs
from symgnn_pyg.nn.baselines.ltd import dct_matrix
from symgnn_pyg.nn.baselines.st_gcn import spatial_partitions

NTU25 = Skeleton.get("ntu25")

N, V, K, T, STEPS = 3, 5, 4, 12, 3
TINY = {
    STGCN: {"channels": (4, 8), "strides": (1, 2), "kernel_size": 3},
    AGCN: {"channels": (4, 8), "strides": (1, 2)},
    ASGCN: {"channels": (4, 8), "strides": (1, 2), "num_hops": 2},
    HCN: {"frames": 16, "hidden_channels": 16},
    ZeroVelocity: {},
    ResidualGRU: {"channels": 8},
    LTD: {"channels": 8, "num_blocks": 2},
}
TRAINABLE = [name for name, kind in RIVALS.items() if kind is not ZeroVelocity]
LAYOUTS = ["ntu25", "kinetics18", "h36m20", "cmu26"]


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture
def arm():
    """Five joints; a link closes a ring of the last three."""
    return Skeleton(
        joints=["chest", "shoulder", "elbow", "wrist", "hand"],
        bones=[(1, 0), (2, 1), (3, 2), (4, 3)],
        links=[(4, 2)],
    )


@pytest.fixture
def x():
    return torch.randn(N * V, T, 3, dtype=torch.double)


def tiny(kind, skeleton, num_observed=T, num_future=STEPS, **kwargs):
    kwargs = {**TINY[kind], **kwargs}
    return kind(skeleton, K, num_observed, num_future, **kwargs)


def settled(net):
    """Away from its start, where some paths count for nothing."""
    net = net.double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        for _ in range(10):
            net(torch.randn(4 * V, T, 3, dtype=torch.double))
    return net.eval()


def without_dropout(net):
    for module in net.modules():
        if isinstance(module, Dropout | Dropout2d):
            module.p = 0.0
    return net


def chain(num_joints):
    joints = [f"joint {i}" for i in range(num_joints)]
    return Skeleton(joints, [(i, i - 1) for i in range(1, num_joints)])


def size(net):
    return sum(p.numel() for p in net.parameters())


# Sizes #######################################################################

# What the published networks have, by the sizes of their layers.
PUBLISHED = {
    STGCN: 3_098_832,
    AGCN: 3_469_510,
    ASGCN: 4_582_739,
    HCN: 2_647_868,
    ResidualGRU: 3_416_118,
    LTD: 2_547_580,
}


def published_size(kind):
    ntu25 = NTU25
    if kind is ResidualGRU:
        return size(kind(chain(18), 15, 50, 25, supervised=True))
    if kind is LTD:
        return size(kind(chain(22), 15, 10, 10))
    net = kind(ntu25, 60, 50, 10)
    return size(net) - (size(net.actional_inference) if kind is ASGCN else 0)


@pytest.mark.parametrize("kind", PUBLISHED)
def test_as_large_as_published(kind):
    assert published_size(kind) == pytest.approx(PUBLISHED[kind], rel=0.02)


@pytest.mark.parametrize(
    ("kind", "millions"),
    [
        (STGCN, "3.04"),
        (AGCN, "3.47"),
        (ASGCN, "4.57"),
        (HCN, "2.65"),
        (ResidualGRU, "3.42"),
        (LTD, "2.55"),
    ],
)
def test_the_docstring_tells_the_size(kind, millions):
    assert f"{published_size(kind) / 1e6:.2f}" == millions
    told = " ".join(inspect.getdoc(kind).split())
    assert f"{millions} million" in told


def test_what_is_left_out_accounts_for_the_difference():
    widths = (64,) * 4 + (128,) * 3 + (256,) * 3
    strides = (1,) * 4 + (2, 1, 1) * 2
    ten = STGCN(NTU25, 60, 50, 10, 3, widths, strides)
    biases = 3 * sum(widths)
    assert size(ten) + biases == PUBLISHED[STGCN]
    # The code normalises the joints of two bodies apart.
    assert published_size(AGCN) + biases + 2 * 75 == PUBLISHED[AGCN]
    biases = 10 * 3 * (64 + 128 + 256)
    assert published_size(ASGCN) + biases == PUBLISHED[ASGCN]
    assert published_size(HCN) == PUBLISHED[HCN]
    assert published_size(ResidualGRU) - 3 * 1024 == PUBLISHED[ResidualGRU]
    assert published_size(LTD) == PUBLISHED[LTD]


def test_the_size_of_hcn_in_the_paper():
    net = HCN(NTU25, 60, 50, 10, 3, 32, 256)
    assert size(net) == 784_892


# What all have in common #####################################################


@pytest.mark.parametrize("dual", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", RIVALS)
def test_shapes(name, layout, dual):
    skeleton = Skeleton.get(layout)
    skeleton = skeleton.dual() if dual else skeleton
    v = skeleton.num_joints
    out = tiny(RIVALS[name], skeleton)(torch.randn(2 * v, T, 3))
    if name in RECOGNITION:
        assert out.logits.shape == (2, K)
        assert out.future is None
    else:
        assert out.future.shape == (2 * v, STEPS, 3)
        assert out.logits is None
    if name == "AS-GCN":
        torch.testing.assert_close(out.actional.sum(-1), torch.ones(2, v))
    else:
        assert out.actional is None
    assert out.shared.size(0) in (2, 2 * v)


@pytest.mark.parametrize("name", RIVALS)
def test_other_poses_and_lengths(name, arm):
    net = tiny(RIVALS[name], arm, num_observed=7, num_future=1, in_channels=2)
    out = net(torch.randn(N * V, 7, 2))
    expected = (N, K) if name in RECOGNITION else (N * V, 1, 2)
    main = out.logits if name in RECOGNITION else out.future
    assert main.shape == expected


def each(out):
    """What a network returned, one entry a sample."""
    fields = [field for field in out if field is not None]
    return [field.reshape(N, -1) for field in fields]


@pytest.mark.parametrize("name", RIVALS)
def test_samples_do_not_see_each_other(name, arm, x):
    net = settled(tiny(RIVALS[name], arm))
    together = each(net(x))
    for n in range(N):
        alone = net(x[n * V : (n + 1) * V])
        fields = [field for field in alone if field is not None]
        for field, all_samples in zip(fields, together, strict=True):
            torch.testing.assert_close(field.flatten(), all_samples[n])
    for field in together:
        assert not torch.allclose(field[0], field[1])


@pytest.mark.parametrize("name", RIVALS)
def test_permuted_samples(name, arm, x):
    net = settled(tiny(RIVALS[name], arm))
    order = torch.tensor([2, 0, 1])
    permuted = x.unflatten(0, (N, V))[order].flatten(0, 1)
    for ours, before in zip(each(net(permuted)), each(net(x)), strict=True):
        torch.testing.assert_close(ours, before[order])


@pytest.mark.parametrize("name", TRAINABLE)
def test_gradients_reach_every_parameter(name, arm, x):
    net = without_dropout(settled(tiny(RIVALS[name], arm))).train()
    out = net(x)
    main = out.logits if name in RECOGNITION else out.future
    (main * torch.randn_like(main)).sum().backward()
    for key, parameter in net.named_parameters():
        assert parameter.grad is not None, key
        # Batch normalisation and softmax take some biases back.
        if not key.endswith("bias"):
            assert parameter.grad.abs().max() > 1e-12, key


@pytest.mark.parametrize("name", TRAINABLE)
def test_learns(name, arm):
    net = without_dropout(tiny(RIVALS[name], arm))
    x, y = torch.randn(8 * V, T, 3), torch.arange(8) % K
    future = torch.randn(8 * V, STEPS, 3)
    criterion = SymbioticLoss()
    optimiser = torch.optim.Adam(net.parameters(), 1e-3)
    losses = []
    for _ in range(20):
        loss = criterion(net(x), y, future).total
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[-1] < 0.97 * losses[0]


@pytest.mark.parametrize("name", RIVALS)
def test_empty_batch(name, arm):
    out = tiny(RIVALS[name], arm).eval()(torch.randn(0, T, 3))
    main = out.logits if name in RECOGNITION else out.future
    assert main.shape == ((0, K) if name in RECOGNITION else (0, STEPS, 3))


@pytest.mark.parametrize("shape", [(V, T + 1, 3), (V, T, 2), (V, 3 * T)])
@pytest.mark.parametrize("name", RIVALS)
def test_wrong_shape(name, shape, arm):
    with pytest.raises(ValueError, match=r"Expected 'x' of shape \[M \* 5, 12"):
        tiny(RIVALS[name], arm)(torch.randn(shape))


@pytest.mark.parametrize("name", RIVALS)
def test_wrong_number_of_rows(name, arm):
    with pytest.raises(ValueError, match="a multiple of 5 rows"):
        tiny(RIVALS[name], arm)(torch.randn(V + 1, T, 3))


# Several bodies ##############################################################


@pytest.mark.parametrize("name", RECOGNITION)
def test_bodies_of_a_sample_are_recognised_together(name, arm, x):
    net = settled(tiny(RIVALS[name], arm))
    one, two, three = x.split(V)
    bodies = torch.tensor([1, 2])
    logits = net(torch.cat([one, two, three]), bodies).logits
    assert logits.shape == (2, K)
    torch.testing.assert_close(logits[:1], net(one).logits)
    swapped = net(torch.cat([one, three, two]), bodies).logits
    torch.testing.assert_close(swapped, logits)
    assert not torch.allclose(logits[1:], net(two).logits)
    twice = net(torch.cat([two, two]), torch.tensor([2])).logits
    torch.testing.assert_close(twice, net(two).logits)


@pytest.mark.parametrize("kind", [STGCN, AGCN, ASGCN])
def test_scores_of_bodies_are_averaged(kind, arm, x):
    net = settled(tiny(kind, arm))
    together = net(x[: 2 * V], torch.tensor([2])).logits
    expected = net(x[: 2 * V]).logits.mean(dim=0, keepdim=True)
    torch.testing.assert_close(together, expected)


def test_hcn_keeps_the_maximum_over_bodies(arm, x):
    net, seen = settled(tiny(HCN, arm)), []
    net.hidden.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    net(x)
    net(x, torch.tensor([1, 2]))
    expected = torch.stack([seen[0][0], seen[0][1:].amax(dim=0)])
    torch.testing.assert_close(seen[1], expected)


@pytest.mark.parametrize("name", PREDICTION)
def test_each_body_moves_alone(name, arm, x):
    net = settled(tiny(RIVALS[name], arm))
    together = net(x, torch.tensor([1, 2])).future
    torch.testing.assert_close(together, net(x).future)


@pytest.mark.parametrize("kind", [STGCN, AGCN, ASGCN])
def test_channels_of_joints_are_normalised(kind, arm, x):
    net, seen = tiny(kind, arm).double(), []
    net.blocks[0].register_forward_pre_hook(lambda _, args: seen.append(args))
    net(x)
    samples = x.view(N, V, T, 3)
    var, mean = torch.var_mean(samples, (0, 2), correction=0, keepdim=True)
    expected = (samples - mean) / (var + 1e-5).sqrt()
    torch.testing.assert_close(seen[0][0], expected.flatten(0, 1))


# Zero velocity ###############################################################


def test_zero_velocity(arm, x):
    net = tiny(ZeroVelocity, arm)
    future = net(x).future
    assert torch.equal(future, x[:, -1:].expand(-1, STEPS, -1))
    assert list(net.parameters()) == []


# ST-GCN and AS-GCN ###########################################################


def test_spatial_partitions(arm):
    own, inward, outward = spatial_partitions(arm)
    half, third, fourth = 1 / 2, 1 / 3, 1 / 4
    degree = torch.tensor([half, third, fourth, third, third])
    torch.testing.assert_close(own, torch.diag(degree))
    expected = torch.zeros(V, V)
    expected[1, 0], expected[2, 1] = third, fourth
    # Wrist and hand are equally far from the chest, and neighbours.
    expected[3, 2] = expected[4, 2] = expected[3, 4] = expected[4, 3] = third
    torch.testing.assert_close(inward, expected)
    expected = torch.zeros(V, V)
    expected[0, 1], expected[1, 2] = half, third
    expected[2, 3] = expected[2, 4] = fourth
    torch.testing.assert_close(outward, expected)


@pytest.mark.parametrize("name", LAYOUTS)
def test_partitions_share_out_the_mean_over_neighbours(name):
    skeleton = Skeleton.get(name)
    torch.testing.assert_close(
        spatial_partitions(skeleton).sum(dim=0), skeleton.hop_powers(1)[0]
    )
    further = spatial_partitions(skeleton, 3)
    assert further.shape == (7, skeleton.num_joints, skeleton.num_joints)
    assert ((further > 0).sum(dim=0) <= 1).all()
    within = skeleton.hop_powers(3)[-1] > 0
    assert torch.equal(further.sum(dim=0) > 0, within)
    ones = torch.ones(skeleton.num_joints)
    torch.testing.assert_close(further.sum(dim=(0, 2)), ones)


def test_a_centre_of_its_own_turns_the_partitions(arm):
    hand = Skeleton(arm.joints, arm.bones, links=arm.links, centre="hand")
    _, inward, outward = spatial_partitions(hand)
    assert inward[0, 1] > 0
    assert outward[1, 0] > 0


def test_actional_graphs_are_weighted(arm, x):
    net = settled(tiny(ASGCN, arm))
    logits = net(x).logits
    net.lambda_ = 0.0
    without = net(x)
    assert not torch.allclose(without.logits, logits)
    for block in net.blocks:
        block.graph_conv.weight.data[-1] = 0
    net.lambda_ = 0.5
    torch.testing.assert_close(net(x).logits, without.logits)


# 2s-AGCN #####################################################################


def test_adaptive_graphs(arm, x):
    partitions = spatial_partitions(arm).double()
    graphs = AdaptiveGraphs(3, 2, partitions).double()
    weight = graphs.embed.weight.view(2, 3, 2, 3)
    bias = graphs.embed.bias.view(2, 3, 2)
    found = graphs(x)
    assert found.shape == (N, 3, V, V)
    for n, sample in enumerate(x.split(V)):
        for k in range(3):
            theta, phi = (
                (sample @ weight[i, k].t() + bias[i, k]).flatten(1)
                for i in (0, 1)
            )
            similarity = (theta @ phi.t() / (T * 2)).softmax(dim=1)
            expected = partitions[k] + 1e-6 + similarity
            torch.testing.assert_close(
                found[n, k], expected, atol=1e-10, rtol=0
            )


def test_blocks_of_agcn_start_as_their_residual_connection(arm, x):
    block = tiny(AGCN, arm).double().blocks[0]
    graph_alone = block.graph_norm(block.graph_conv.mix(x, block.graphs(x)))
    assert graph_alone.abs().max() < 1e-4
    assert block.graph_residual(x).abs().max() > 1


@pytest.mark.parametrize("width", [0, 2, 6])
def test_agcn_needs_widths_that_can_be_quartered(width, arm):
    with pytest.raises(
        ValueError, match=rf"multiples of 4, got \({width}, 8\)"
    ):
        tiny(AGCN, arm, channels=(width, 8))


# HCN #########################################################################


def test_hcn_interpolates(arm):
    """A motion in straight lines is the same at any frame rate."""
    net = settled(tiny(HCN, arm))
    longer = tiny(HCN, arm, num_observed=2 * T - 1).double().eval()
    longer.load_state_dict(net.state_dict())
    start, step = torch.randn(2, N * V, 1, 3, dtype=torch.double)
    time = torch.arange(2 * T - 1).view(1, -1, 1) / 2
    motion = start + step * time
    expected = net(motion[:, ::2]).logits
    torch.testing.assert_close(longer(motion).logits, expected)


def test_hcn_sees_position_and_velocity(arm, x):
    net = settled(tiny(HCN, arm))
    assert not torch.allclose(net(x + 1).logits, net(x).logits)
    for parameter in net.position.point.parameters():
        parameter.data.zero_()
    torch.testing.assert_close(net(x + 1).logits, net(x).logits)
    assert not torch.allclose(net(x.flip(1)).logits, net(x).logits)
    for parameter in net.velocity.point.parameters():
        parameter.data.zero_()
    torch.testing.assert_close(net(x.flip(1)).logits, net(x).logits)


@pytest.mark.parametrize("frames", [0, 24])
def test_hcn_needs_frames_that_can_be_halved(frames, arm):
    with pytest.raises(ValueError, match=f"multiple of 16, got {frames}"):
        tiny(HCN, arm, frames=frames)


# Residual GRU ################################################################


def test_gru_reads_its_own_predictions(arm, x):
    net = settled(tiny(ResidualGRU, arm))
    future = net(x).future
    for step in range(1, STEPS):
        further = tiny(ResidualGRU, arm, num_observed=T + step).double()
        further.load_state_dict(net.state_dict())
        seen = torch.cat([x, future[:, :step]], dim=1)
        following = further(seen).future[:, 0]
        torch.testing.assert_close(following, future[:, step])


def test_gru_predicts_what_to_add(arm, x):
    net = tiny(ResidualGRU, arm).double()
    net.out.weight.data.zero_()
    step = torch.randn(V, 3, dtype=torch.double)
    net.out.bias.data.copy_(step.flatten())
    last = x.view(N, V, T, 3)[:, :, -1:]
    count = torch.arange(1, STEPS + 1).view(-1, 1)
    expected = last + count * step.unsqueeze(1)
    torch.testing.assert_close(net(x).future, expected.flatten(0, 1))


def test_gru_reads_labels(arm, x):
    net = tiny(ResidualGRU, arm, supervised=True).double()
    future = net(x, y=torch.tensor([0, 1, 2])).future.unflatten(0, (N, V))
    other = net(x, y=torch.tensor([0, 3, 2])).future.unflatten(0, (N, V))
    torch.testing.assert_close(other[[0, 2]], future[[0, 2]])
    assert not torch.allclose(other[1], future[1])
    bodies, y = torch.tensor([1, 2]), torch.tensor([0, 1])
    torch.testing.assert_close(
        net(x, bodies, y).future, net(x, y=torch.tensor([0, 1, 1])).future
    )


def test_labels_missing_or_needless(arm, x):
    with pytest.raises(ValueError, match=r"'y' of shape \[N\] are missing"):
        tiny(ResidualGRU, arm, supervised=True).double()(x)
    with pytest.raises(ValueError, match="given to a network without"):
        tiny(ResidualGRU, arm).double()(x, y=torch.zeros(N).long())


# LTD #########################################################################


@pytest.mark.parametrize("num_frames", [1, 2, 20, 35])
def test_dct_is_orthonormal(num_frames):
    matrix = dct_matrix(num_frames)
    eye = torch.eye(num_frames, dtype=torch.double)
    torch.testing.assert_close(matrix @ matrix.t(), eye)
    trajectory = torch.randn(num_frames, 4, dtype=torch.double)
    back = matrix.t() @ (matrix @ trajectory)
    torch.testing.assert_close(back, trajectory)


def test_dct_by_hand():
    root = 0.5**0.5
    expected = torch.tensor([[root, root], [root, -root]], dtype=torch.double)
    torch.testing.assert_close(dct_matrix(2), expected)
    still = dct_matrix(9) @ torch.ones(9, dtype=torch.double)
    expected = 3 * torch.eye(9, dtype=torch.double)[0]
    torch.testing.assert_close(still, expected)


def test_ltd_that_adds_nothing_stands_still(arm, x):
    net = settled(tiny(LTD, arm))
    moving = net(x).future
    net.last.weight.data.zero_()
    net.last.bias.data.zero_()
    still = tiny(ZeroVelocity, arm)(x).future
    torch.testing.assert_close(net(x).future, still, atol=1e-5, rtol=0)
    assert not torch.allclose(moving, still, atol=1e-2)


def test_ltd_adds_a_trajectory(arm, x):
    """One coefficient more, for one coordinate of one joint."""
    net = settled(tiny(LTD, arm))
    net.last.weight.data.zero_()
    net.last.bias.data.zero_()
    net.last.bias.data[2] = 1.0
    expected = x[:, -1:] + dct_matrix(10 + STEPS)[2, 10:].view(1, -1, 1)
    torch.testing.assert_close(net(x).future, expected, atol=1e-5, rtol=0)


def test_blocks_of_ltd_are_residual(arm, x):
    net, first = settled(tiny(LTD, arm)), []
    net.first.register_forward_hook(lambda *args: first.append(args[2]))
    for layer in net.layers:
        layer.norm.weight.data.zero_()
        layer.norm.bias.data.zero_()
    torch.testing.assert_close(net(x).shared, first[0].view(N * V, -1))


def test_ltd_sees_its_history_alone(arm, x):
    net = settled(tiny(LTD, arm))
    older, seen = x.clone(), x.clone()
    older[:, : T - 10] += 1
    seen[:, T - 10] += 1
    torch.testing.assert_close(net(older).future, net(x).future)
    assert not torch.allclose(net(seen).future, net(x).future)


def test_ltd_needs_history(arm):
    with pytest.raises(ValueError, match="'history' must be at least 1, got 0"):
        tiny(LTD, arm, history=0)


def test_ltd_ties_every_joint_to_every_other(arm, x):
    net = settled(tiny(LTD, arm))
    moved = x.clone()
    moved[0, -5] += 1
    change = (net(moved).future - net(x).future).abs().amax(dim=(1, 2))
    assert (change[:V] > 1e-6).all()
    assert change[V:].max() < 1e-12
