import pytest
import torch
from torch_geometric.data import Data

from symgnn_pyg.nn.baselines import LinearRegression, ZeroVelocity

V, T, STEPS, RECENT = 5, 12, 3, 6
WIDTH = 3 * V


@pytest.fixture
def net(tiny):
    return tiny(LinearRegression).double()


@pytest.fixture
def windows(net):
    """Draws batches of windows whose futures are linear in their last frames,
    and returns the rule, too.
    """
    rule = torch.randn(RECENT * WIDTH, STEPS * WIDTH, dtype=torch.double)
    shift = torch.randn(STEPS * WIDTH, dtype=torch.double)

    def draw(num_batches, noise=0.0):
        batches = []
        for _ in range(num_batches):
            x = torch.randn(8 * V, T, 3, dtype=torch.double)
            recent = x.view(8, V, T, 3)[:, :, -RECENT:].flatten(1)
            future = (recent @ rule + shift).view(8 * V, STEPS, 3)
            future += noise * torch.randn_like(future)
            batches.append(Data(x=x, future=future))
        return batches

    return draw


def test_finds_a_linear_rule(net, windows):
    assert net.fit(windows(20), ridges=[1e-12]) == 1e-12
    (new,) = windows(1)
    torch.testing.assert_close(net(new.x).future, new.future, atol=1e-6, rtol=0)


def test_against_least_squares_of_all_windows_at_once(net, windows):
    """The ridge is a row for each weight, beside those of the windows."""
    batches, ridge = windows(3, noise=1.0), 0.1
    net.fit(batches, ridges=[ridge])
    x = torch.cat([batch.x for batch in batches])
    future = torch.cat([batch.future for batch in batches])
    samples = x.view(-1, V, T, 3)
    last = samples[:, :, -1:]
    earlier = samples[:, :, -RECENT:-1] - last
    inputs = torch.cat([earlier, last], dim=2).flatten(1)
    targets = (future - x[:, -1:]).view(len(inputs), -1)
    means = inputs.mean(dim=0), targets.mean(dim=0)
    scale = inputs.var(dim=0, correction=0).mean()
    damping = (ridge * scale * len(inputs)).sqrt()
    eye = torch.eye(inputs.size(1), dtype=torch.double)
    expected = torch.linalg.lstsq(
        torch.cat([inputs - means[0], damping * eye]),
        torch.cat([targets - means[1], torch.zeros(len(eye), STEPS * WIDTH)]),
    ).solution
    torch.testing.assert_close(net.weight, expected)
    torch.testing.assert_close(net.bias, means[1] - means[0] @ expected)


def test_chooses_the_ridge_on_validation_windows(net, windows):
    train, val = windows(14, noise=5.0), windows(4)
    ridges = [1e-6, 1e-1, 1e6]
    chosen = net.fit(train, val, ridges)
    x = torch.cat([batch.x for batch in val])
    future = torch.cat([batch.future for batch in val])
    errors = []
    for ridge in ridges:
        net.fit(train, ridges=[ridge])
        errors.append((net(x).future - future).square().mean().item())
    assert chosen == ridges[errors.index(min(errors))] == 1e-1
    assert net.fit(train, val, ridges) == chosen
    error = (net(x).future - future).square().mean().item()
    assert error == pytest.approx(min(errors))


def test_unit_makes_no_difference(tiny, windows):
    """Metres and millimetres, far from the origin, give the same fit."""
    batches = windows(6, noise=1.0)
    new = torch.randn(V, T, 3, dtype=torch.double)
    futures = []
    for scale, origin in ((1.0, 0.0), (1000.0, 5e4)):
        scaled = [
            Data(x=scale * b.x + origin, future=scale * b.future + origin)
            for b in batches
        ]
        net = tiny(LinearRegression).double()
        net.fit(scaled, ridges=[0.1])
        future = net(scale * new + origin).future
        futures.append((future - origin) / scale)
    torch.testing.assert_close(*futures, rtol=1e-6, atol=1e-6)


def test_in_single_precision(tiny, windows):
    batches = windows(6, noise=1.0)
    double, single = tiny(LinearRegression).double(), tiny(LinearRegression)
    double.fit(batches, ridges=[0.1])
    single.fit(batches, ridges=[0.1])
    assert single.weight.dtype == torch.float
    x = batches[0].x
    found = single(x.float()).future
    torch.testing.assert_close(
        found.double(), double(x).future, rtol=1e-4, atol=1e-4
    )


def test_starts_as_zero_velocity_and_forgets(net, tiny, x, windows):
    still = tiny(ZeroVelocity)(x).future
    assert torch.equal(net(x).future, still)
    net.fit(windows(6), ridges=[0.1])
    assert not torch.allclose(net(x).future, still)
    net.reset_parameters()
    assert torch.equal(net(x).future, still)


def test_windows_without_motion(net):
    x = torch.ones(8 * V, T, 3)
    net.fit([Data(x=x, future=torch.ones(8 * V, STEPS, 3))], ridges=[1e-4])
    torch.testing.assert_close(
        net(x.double()).future, torch.ones(8 * V, STEPS, 3).double()
    )


def test_wrong_arguments(net, tiny, windows):
    batches = windows(2)
    with pytest.raises(ValueError, match="requires validation windows: pass"):
        net.fit(batches)
    with pytest.raises(ValueError, match=r"'ridges' must be positive, got \[0"):
        net.fit(batches, ridges=[0.0])
    with pytest.raises(
        ValueError, match=r"'ridges' must be positive, got \[\]"
    ):
        net.fit(batches, ridges=[])
    with pytest.raises(ValueError, match="'train' has no windows"):
        net.fit([], ridges=[1.0])
    with pytest.raises(ValueError, match="'val' has no windows"):
        net.fit(batches, [])
    with pytest.raises(ValueError, match="'x' and 'future' in 'train', got Te"):
        net.fit([batches[0].x], ridges=[1.0])
    wrong = Data(x=batches[0].x, future=batches[0].future[:, 1:])
    with pytest.raises(
        ValueError, match=r"shape \[40, 3, 3\] in 'val', got \[40, 2, 3\]"
    ):
        net.fit(batches, [wrong])
    with pytest.raises(ValueError, match="with T >= 6 frames, got"):
        net(torch.randn(V, RECENT - 1, 3))
    with pytest.raises(ValueError, match="'num_recent' must be at least 1"):
        tiny(LinearRegression, num_recent=0)
