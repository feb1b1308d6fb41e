import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.inference import MirrorAverage
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.skeleton import cmu_positions
from symgnn_pyg.transforms import Standardize

CMU = Skeleton.get("cmu26")
N, T, STEPS, K = 2, 6, 3, 4


@pytest.fixture
def network(build):
    return build(CMU, num_future=STEPS).double()


def standardize():
    torch.manual_seed(1)
    return Standardize(torch.randn(26, 3), torch.rand(26, 3) + 0.5)


@pytest.mark.parametrize("kind", ["position", "rotation"])
@pytest.mark.parametrize("normalised", [False, True])
def test_mirroring_the_input_mirrors_the_output(network, kind, normalised):
    transform = standardize() if normalised else None
    average = MirrorAverage(network, kind=kind, standardize=transform)
    x = torch.randn(N * 26, T, 3, dtype=torch.double)
    out, mirrored = average(x), average(average.mirror(x))
    close = {"rtol": 1e-10, "atol": 1e-10}
    torch.testing.assert_close(mirrored.logits, out.logits, **close)
    torch.testing.assert_close(
        mirrored.future, average.mirror(out.future), **close
    )
    assert not torch.allclose(average.model(x).future, out.future)
    torch.testing.assert_close(average.mirror(average.mirror(x)), x, **close)


def test_mirrors_rotations_as_positions(network, dtype):
    """Forward kinematics of the mirror image is the mirror image."""
    average = MirrorAverage(network, kind="rotation").to(dtype)
    pose = 0.3 * torch.randn(26, 1, 3, dtype=dtype)
    found = cmu_positions(average.mirror(pose)[:, 0])
    positions = MirrorAverage(network).to(dtype)
    expected = positions.mirror(cmu_positions(pose[:, 0]).unsqueeze(1))[:, 0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_several_bodies(network):
    average = MirrorAverage(network).double()
    x = torch.randn(3 * 26, T, 3, dtype=torch.double)
    bodies = torch.tensor([1, 2])
    out = average(x, bodies)
    assert out.logits.shape == (2, K)
    other = average.model(average.mirror(x), bodies)
    expected = (average.model(x, bodies).logits + other.logits) / 2
    torch.testing.assert_close(out.logits, expected)


def test_a_skeleton_without_sides_is_refused():
    rod = Skeleton(["a", "b"], [(1, 0)])
    net = SymGNN(rod, 2, num_observed=4, channels=(4, 4), strides=(1, 1),
                 fusion=(1,))  # fmt: skip
    with pytest.raises(ValueError, match=r"no left and right joints.*'pairs'"):
        MirrorAverage(net)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"kind": "angle"}, "'kind' must be one of"),
        ({"axis": 3}, "from 0 to 2, got 3"),
        (
            {"standardize": Standardize(torch.zeros(5, 3), torch.ones(5, 3))},
            "Expected 'standardize' for",
        ),
    ],
)
def test_wrong_arguments(network, arguments, match):
    with pytest.raises(ValueError, match=match):
        MirrorAverage(network, **arguments)


@pytest.mark.parametrize(
    "arguments", [{"model": torch.nn.Linear(3, 3)}, {"standardize": (0, 1)}]
)
def test_arguments_of_another_type(network, arguments):
    [name] = arguments
    with pytest.raises(TypeError, match=f"Expected '{name}' to be a S"):
        MirrorAverage(**{"model": network, **arguments})
