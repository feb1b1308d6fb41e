import numpy as np
import pytest
import torch

from symgnn_pyg.errors import DataError
from tests.inference.pipelines import T, V, model_of, same, walk


@pytest.fixture
def model(build, arm):
    return model_of(build, arm, "velocities")


# Kinds of arrays #############################################################


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x.numpy(),
        lambda x: x.double().numpy(),
        lambda x: x.double(),
        lambda x: x.half(),
        lambda x: x.numpy().astype(">f4"),
        lambda x: x.numpy()[:, ::-1][:, ::-1],
        lambda x: np.ma.masked_invalid(x.numpy()),
        lambda x: x.clone().requires_grad_(),
    ],
)
def test_kind_of_array_is_kept(model, convert):
    motion = walk(T).half().float()
    given = convert(motion)
    answer = model(given)
    assert isinstance(answer.future, (torch.Tensor, np.ndarray))
    assert isinstance(answer.future, torch.Tensor) == isinstance(
        given, torch.Tensor
    )
    assert answer.future.dtype == given.dtype
    half = given.dtype == torch.half
    tolerance = {"rtol": 1e-2, "atol": 1e-2} if half else {}
    same(answer, model(motion), check_dtype=False, **tolerance)


def test_bfloat16(model):
    motion = walk(T).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        answer = model(motion.float().numpy())
    assert answer.future.dtype == np.float32
    gaps = motion.clone()
    gaps[1, 0] = float("nan")
    assert model(gaps, fill_gaps=True).future.dtype == torch.bfloat16


def test_lists_and_integers(model):
    motion = (10 * walk(T)).round()
    expected = model(motion)
    for given in (
        motion.tolist(),
        [*motion],
        [*motion.numpy()],
        tuple(motion.numpy()),
        motion.long(),
        motion.long().numpy(),
    ):
        same(model(given), expected, check_dtype=False)


# Gaps ########################################################################


def test_gaps_are_refused_or_filled(model):
    whole = walk(20)
    whole[-4:] = whole[-4] + torch.arange(4.0).view(-1, 1, 1)
    motion = whole.clone()
    motion[-3:-1, 3] = torch.nan
    with pytest.raises(ValueError, match=r"'wrist' is NaN in frame 17 \(one"):
        model(motion)
    same(model(motion, fill_gaps=True), model(whole))
    masked = np.ma.masked_array(whole.numpy(), motion.isnan().numpy())
    with pytest.raises(ValueError, match="fill_gaps=True"):
        model(masked)
    same(model(masked, fill_gaps=True), model(whole))


def test_gaps_outside_the_window_do_not_matter(model):
    motion = walk(20)
    motion[3, 2] = torch.nan
    same(model(motion), model(motion[-T:]))
    same(model([motion[5:], motion]), model([motion[5:], motion[-T:]]))
    start = torch.stack([motion[:8].nan_to_num(), motion[:8]])
    with pytest.raises(ValueError, match=r"'motion\[1\]'.*'elbow'.*frame 3"):
        model(start, stride=1)


def test_absent_joints_and_infinity_are_refused(model):
    motion = walk(20)
    motion[7, 1, 2] = torch.inf
    with pytest.raises(ValueError, match=r"'shoulder' is infinite in frame 7"):
        model(motion, stride=1)
    motion[:, 1] = torch.nan
    with pytest.raises(DataError, match="joint 1 is missing in every frame"):
        model(motion, fill_gaps=True)


# Shapes and types ############################################################


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((V, 20, 3), r"got \[5, 20, 3\]; .*motion.transpose\(1, 0, 2\)"),
        ((3, 20, V), r"motion.transpose\(1, 2, 0\)"),
        ((20, 3, V), r"motion.transpose\(0, 2, 1\)"),
        ((8, 3, 20, V), r"motion.transpose\(0, 2, 3, 1\)"),
        ((8, 3, 20, V, 2), r"transpose\(0, 4, 2, 3, 1\).reshape\(-1, 20, 5, 3\)"
         r" and num_bodies=\[2\] \* 8"),
        ((20, V * 3), r"motion.reshape\(20, 5, 3\)"),
        ((8, 20, V * 3), r"motion.reshape\(8, 20, 5, 3\)"),
        ((V, 3), "single pose.*Stream"),
        ((T - 1, V, 3), "at least 6.*5 frames are too few.*Stream"),
        ((0, V, 3), "0 frames are too few"),
        ((0, 20, V, 3), "no recordings"),
        ((20, V + 2, 3), "trained on 5 joints"),
        ((20, V, 4), r"3 channels: pass only those.*motion\[..., :3\]"),
        ((20, V, 2), "trained on 3 channels$"),
        ((), r"got \[\]$"),
    ],
)  # fmt: skip
def test_shape_errors_tell_the_cure(model, shape, message):
    with pytest.raises(ValueError, match=message):
        model(np.zeros(shape))


def test_cures_work(model):
    motion = walk(20)
    expected = model(motion)
    for order in ((1, 0, 2), (2, 0, 1), (2, 1, 0), (0, 2, 1)):
        with pytest.raises(ValueError, match="permute") as error:
            model(motion.permute(order))
        cure = str(error.value).rpartition("pass ")[2]
        same(model(eval(cure, {"motion": motion.permute(order)})), expected)


@pytest.mark.parametrize(
    "motion", ["abc", None, {"x": 1}, np.array(["a"]), [[[None]]]]
)
def test_refuses_what_is_not_a_number(model, motion):
    with pytest.raises(TypeError, match="Expected numbers in 'motion', got"):
        model(motion)
