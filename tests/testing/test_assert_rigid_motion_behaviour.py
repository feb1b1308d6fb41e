import pytest
import torch

from symgnn_pyg.nn import BonesToJoints
from symgnn_pyg.testing import assert_rigid_motion_behaviour

INPUTS = {"x": torch.randn(4, 6, 3)}


def lengths(self, x):
    return (x[:, 1:] - x[:, :-1]).norm(dim=-1)


def mean(self, x):
    return x.mean(dim=1)


def doubled(self, x):
    return 2 * x


def mirrored(self, x):
    return x * torch.tensor([1.0, 1.0, -1.0])


def planar(self, x):
    """Looks at two of three coordinates."""
    return x[..., :2].norm(dim=-1)


@pytest.mark.parametrize(
    ("function", "motion", "behaviour"),
    [
        (lengths, "rigid motion", "invariant"),
        (lengths, "translation", "invariant"),
        (lengths, "rotation", "invariant"),
        (mean, "rigid motion", "equivariant"),
        (mean, "translation", "equivariant"),
        (doubled, "rotation", "equivariant"),
    ],
)
def test_sound_layers(layer, function, motion, behaviour):
    assert_rigid_motion_behaviour(layer(function), INPUTS, behaviour, motion)


@pytest.mark.parametrize(
    ("function", "motion", "behaviour"),
    [
        (mean, "translation", "invariant"),
        (mean, "rotation", "invariant"),
        (doubled, "translation", "equivariant"),
        (doubled, "rigid motion", "equivariant"),
        (mirrored, "rotation", "equivariant"),
        (planar, "rotation", "invariant"),
        (planar, "translation", "invariant"),
    ],
)
def test_faults_are_found(layer, function, motion, behaviour):
    message = f"Made is not {behaviour} under {motion}: the output of shape"
    with pytest.raises(AssertionError, match=message):
        assert_rigid_motion_behaviour(
            layer(function), INPUTS, behaviour, motion
        )


def test_differences_of_points_are_rotated_alone(body):
    inputs = {"bones": torch.randn(6, 3), "joints": torch.randn(7, 3)}
    layer = BonesToJoints(body)
    assert_rigid_motion_behaviour(
        layer, inputs, "equivariant", points=["joints"], vectors=["bones"]
    )
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_rigid_motion_behaviour(
            layer, inputs, "equivariant", points=["joints", "bones"]
        )


def test_outputs_that_hold_no_points(layer):
    message = r"output to hold points with 3 coordinates, got shape \[4, 5\]"
    with pytest.raises(AssertionError, match=message):
        assert_rigid_motion_behaviour(layer(lengths), INPUTS, "equivariant")


def test_fields_by_name(layer):
    made = layer(lambda self, x: (lengths(self, x), mean(self, x)))
    behaviour = {"output 0": "invariant", "output 1": "equivariant"}
    assert_rigid_motion_behaviour(made, INPUTS, behaviour)
    with pytest.raises(AssertionError, match="the output 1 of shape"):
        assert_rigid_motion_behaviour(
            made, INPUTS, dict.fromkeys(behaviour, "invariant")
        )


@pytest.mark.parametrize("size", [2, 4])
def test_any_number_of_dimensions(layer, size):
    made, inputs = layer(mean), {"x": torch.randn(3, 5, size).double()}
    assert_rigid_motion_behaviour(made, inputs, "equivariant")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"motion": "shear"}, "'motion' must be one of .*got 'shear'"),
        ({"behaviour": "moves"}, "got 'moves' for 'output'"),
        ({"behaviour": {"y": "invariant"}}, r"fields among \['output'\]"),
        ({"points": ["y"]}, "Expected a tensor 'y' in 'inputs'"),
        ({"points": []}, "same number of coordinates"),
    ],
)
def test_wrong_arguments(layer, arguments, message):
    arguments = {"behaviour": "invariant", **arguments}
    with pytest.raises(ValueError, match=message):
        assert_rigid_motion_behaviour(layer(mean), INPUTS, **arguments)
