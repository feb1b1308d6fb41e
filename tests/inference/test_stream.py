import copy
import gc

import numpy as np
import pytest
import torch
from torch_geometric.transforms import Compose

from symgnn_pyg.inference import Stream
from symgnn_pyg.transforms import Mirror, Standardize
from tests.inference.pipelines import STEPS, K, T, V, model_of, walk

NAN = float("nan")


@pytest.fixture
def motion():
    return walk(20)


def close(output, logits, future):
    """Whether a stream gives the output of a network."""
    expected = logits.softmax(dim=-1)[0]
    torch.testing.assert_close(
        output.probabilities, expected, rtol=0, atol=1e-5
    )
    torch.testing.assert_close(output.future, future, rtol=0, atol=1e-5)


@pytest.fixture
def check(model):
    """Compares a stream's output with the network on a window."""

    def compare(output, window):
        x = window.flatten(0, -3)  # [B*V, T, C]
        bodies = x.size(0) // V
        with torch.no_grad():
            out = model(x, torch.tensor([bodies]))
        future = out.future.view(*window.shape[:-2], STEPS, 3)
        close(output, out.logits, future)

    return compare


def window_of(frames):
    return frames.transpose(0, 1)  # [V, T, C]


@pytest.fixture
def play(model, check):
    """Plays frames, and compares the outputs for all whole windows with the
    network on the frames that the stream should hold.
    """

    def play(frames, held):
        stream = Stream(model)
        outputs = [stream.step(frame) for frame in frames]
        assert len(outputs) == len(held) > T
        for end in range(T, len(held) + 1):
            check(outputs[end - 1], window_of(held[end - T : end]))
        return outputs

    return play


# One body ####################################################################


def test_equals_the_network_at_every_step(motion, play):
    for t, output in enumerate(play(motion, motion)):
        assert output.num_seen == min(t + 1, T)
        assert output.probabilities.shape == (K,)
        assert output.future.shape == (V, STEPS, 3)


def test_first_pose_fills_the_window(model, motion, check):
    stream = Stream(model)
    first = motion[:1].expand(T - 1, -1, -1)
    for t in range(T - 1):
        output = stream.step(motion[t])
        frames = torch.cat([first, motion[: t + 1]])[-T:]
        check(output, window_of(frames))


@pytest.mark.parametrize("dual", [False, True])
@pytest.mark.parametrize(
    "name", ["none", "standardize", "center on the first frame", "nested"]
)
def test_preprocessing_of_the_training(arm, build, motion, name, dual):
    """As a PoseModel answers the last window."""
    model = model_of(build, arm, name, dual)
    stream = Stream(model)
    if name == "standardize":
        stream = Stream(model.model, model.transform)
    for count, frame in enumerate(motion, start=1):
        output = stream.step(frame)
        if count < model.num_observed:
            continue
        answer = model(motion[:count])
        torch.testing.assert_close(
            output.future, answer.future.transpose(0, 1), rtol=1e-5, atol=1e-5
        )
        torch.testing.assert_close(
            output.probabilities.tolist(),
            [*answer.probabilities.values()],
            rtol=0,
            atol=1e-5,
        )


def test_one_transform(arm, build):
    model = model_of(build, arm, "center")
    with pytest.raises(ValueError, match="its own transform"):
        Stream(model, model.transform)


def test_refuses_random_transforms(arm, build):
    with pytest.raises(ValueError, match=r"got Mirror\("):
        Stream(build(arm), Compose([Mirror()]))


def test_heads_that_are_absent(arm, build, motion):
    output = Stream(build(arm, num_classes=0)).step(motion[0])
    assert output.probabilities is None
    assert output.future.shape == (V, STEPS, 3)
    output = Stream(build(arm, num_future=0)).step(motion[0])
    assert output.future is None
    assert output.probabilities.shape == (K,)


def test_arrays_and_types(model, motion, dtype):
    stream = Stream(model.to(dtype))
    output = stream.step(motion[0].numpy().astype(np.float64))
    assert output.future.dtype == output.probabilities.dtype == dtype


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x.astype(">f4"),
        lambda x: x[::-1].copy()[::-1],
        lambda x: np.ma.masked_invalid(np.nan_to_num(x, nan=np.inf)),
        lambda x: x.tolist(),
        lambda x: torch.tensor(x, requires_grad=True),
    ],
    ids=["byte order", "backwards", "masked", "list", "gradient"],
)
def test_kinds_of_arrays(model, motion, convert):
    motion[1, 2] = NAN
    one, other = Stream(model), Stream(model)
    for frame in motion[:2]:
        expected = one.step(frame)
        output = other.step(convert(frame.numpy()))
    assert torch.equal(output.future, expected.future)


# What is missing #############################################################


def test_missing_joint_keeps_its_last_pose(motion, play):
    frames, held = motion.clone(), motion.clone()
    frames[8:10, 2, 1] = NAN
    held[8:10, 2] = motion[7, 2]
    for t, output in enumerate(play(frames, held)):
        assert output.num_seen == min(t + 1, T)


def test_joint_never_seen_follows_the_nearest(motion, play):
    frames, held = motion.clone(), motion.clone()
    # The wrist is nearer to the hand than the elbow is.
    frames[:9, 4] = NAN
    frames[:4, 3] = NAN
    held[:9, 4] = motion[:9, 3]
    held[:4, 3:] = motion[:4, 2:3]
    play(frames, held)


def test_dropped_frame_repeats_the_one_before(motion, play):
    frames, held = [*motion], motion.clone()
    frames[8:10] = [None, None]
    held[8:10] = motion[7]
    for t, output in enumerate(play(frames, held)):
        window = range(max(0, t + 1 - T), t + 1)
        assert output.num_seen == len({*window} - {8, 9})


def test_body_that_is_gone(model, motion, check):
    stream = Stream(model)
    assert stream.step(None) == (None, None, 0)
    stream.step(motion[0])
    for _ in range(T - 1):
        output = stream.step(None)
        assert output.num_seen == 1
        check(output, window_of(motion[:1].expand(T, -1, -1)))
    for _ in range(2):
        assert stream.step(None) == (None, None, 0)
    # It starts anew: no joint keeps a pose of before.
    frame = motion[1].clone()
    frame[4] = NAN
    output = stream.step(frame)
    frame[4] = frame[3]
    assert output.num_seen == 1
    check(output, window_of(frame.expand(T, -1, -1)))


def test_frame_that_shows_nobody(model, motion):
    stream = Stream(model)
    assert stream.step(torch.full((V, 3), NAN)) == (None, None, 0)
    assert stream.step(motion[0]).num_seen == 1


# Several bodies ##############################################################


def test_bodies_are_recognised_together(model, motion, check):
    stream, other = Stream(model), motion.flip(0)
    for t in range(len(motion)):
        output = stream.step(torch.stack([motion[t], other[t]]))
        assert output.num_seen.tolist() == [min(t + 1, T)] * 2
    assert output.probabilities.shape == (K,)
    windows = [window_of(frames[-T:]) for frames in (motion, other)]
    check(output, torch.stack(windows))


def test_bodies_appear_and_vanish(model, motion, check):
    """The second one is there from frame 3 to frame 9."""
    stream = Stream(model)
    for t, frame in enumerate(motion):
        second = 2 * frame if 3 <= t < 10 else torch.full_like(frame, NAN)
        output = stream.step(torch.stack([frame, second]))
        seen = len({*range(3, 10)} & {*range(t + 1 - T, t + 1)})
        assert output.num_seen.tolist() == [min(t + 1, T), seen]
        first = [max(k, 0) for k in range(t + 1 - T, t + 1)]
        windows = [window_of(motion[first])]
        if seen:
            held = [min(max(k, 3), 9) for k in range(t + 1 - T, t + 1)]
            windows.append(window_of(2 * motion[held]))
        else:
            assert output.future[1].isnan().all()
        present = output._replace(future=output.future[: len(windows)])
        check(present, torch.stack(windows))


# State #######################################################################


def test_reset(model, motion):
    stream = Stream(model)
    expected = [stream.step(frame) for frame in motion[:8]]
    stream.reset()
    assert stream.step(None) == (None, None, 0)
    for frame, first in zip(motion, expected, strict=False):
        torch.testing.assert_close(tuple(stream.step(frame)), tuple(first))
    stream.reset()
    assert stream.step(motion[:2]).future.shape == (2, V, STEPS, 3)


def test_model_stays_as_it_is(model, motion):
    state = copy.deepcopy(model.state_dict())
    model.train()
    Stream(model).step(motion[0])
    assert model.training
    torch.testing.assert_close(model.state_dict(), state, rtol=0, atol=0)


def test_outputs_are_not_overwritten(model, motion):
    stream = Stream(model)
    output = stream.step(motion[0])
    before = output.future.clone()
    frame = motion[1].clone()
    stream.step(frame)
    frame.zero_()
    assert torch.equal(output.future, before)
    after = stream.step(motion[2])
    stream.reset()
    for k in range(3):
        again = stream.step(motion[k])
    assert torch.equal(after.future, again.future)


def test_memory_stays_flat(model, motion):
    stream = Stream(model)

    def held_after(steps):
        for t in range(steps):
            stream.step(None if t % 7 == 0 else motion[t % len(motion)])
        gc.collect()
        tensors = [
            o
            for o in gc.get_objects()
            if type(o) is torch.Tensor and o.layout is torch.strided
        ]
        return len(tensors), sum(t.untyped_storage().nbytes() for t in tensors)

    assert held_after(200) == held_after(20)


# Errors and names ############################################################


@pytest.mark.parametrize(
    "shape", [(V - 1, 3), (V, 2), (V,), (1, 1, V, 3), (0, V, 3)]
)
def test_wrong_first_frame(model, shape):
    message = r"shape \[5, 3\] or \[B, 5, 3\], got \["
    with pytest.raises(ValueError, match=message):
        Stream(model).step(torch.zeros(shape))


def test_bodies_cannot_change_in_number(model, motion):
    stream = Stream(model)
    stream.step(motion[:2])
    with pytest.raises(ValueError, match=r"\[2, 5, 3\] as before .*reset"):
        stream.step(motion[:3])
    assert stream.step(motion[1:3]).num_seen.tolist() == [2, 2]


def test_infinite_numbers(model, motion):
    stream = Stream(model)
    motion[0, 0, 0] = float("inf")
    with pytest.raises(ValueError, match="infinite values; use NaN"):
        stream.step(motion[0])
    with pytest.raises(ValueError, match="infinite values"):
        stream.step(1e300 * motion[1].double())
    assert stream.step(motion[1]).num_seen == 1


@pytest.mark.parametrize("kind", [bool, complex, str, object])
def test_refuses_what_is_not_a_number(model, motion, kind):
    with pytest.raises(TypeError, match="Expected numbers in 'frame'"):
        Stream(model).step(motion[0].numpy().astype(kind))


def test_transform_of_another_skeleton(model):
    transform = Standardize(torch.zeros(4, 3), torch.ones(4, 3))
    with pytest.raises(ValueError, match=r"5 joints and 3 .*joints=4"):
        Stream(model, transform)


def test_repr(model):
    transform = Standardize(torch.zeros(V, 3), torch.ones(V, 3))
    assert str(Stream(model, transform)) == (
        "Stream(Skeleton('arm', joints=5, bones=4, parts=3, centre='chest'), "
        "num_observed=6, transform=Standardize(joints=5, channels=3))"
    )
