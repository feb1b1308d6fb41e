import numpy as np
import pytest

from symgnn_pyg.visualization.timeline import Timeline


def motion(*values):
    return np.array(values, float).reshape(-1, 1, 1, 1)


def test_others_follow_the_observed():
    timeline = Timeline(
        {"true": motion(3, 4, 5), "observed": motion(1, 2), "short": motion(6)},
        25.0,
    )
    assert timeline.num_observed == 2
    assert timeline.num_frames == 5
    shown = {
        name: [timeline.pose(name, frame).item() for frame in range(5)]
        for name in timeline.motions
    }
    nan = np.nan
    np.testing.assert_equal(
        shown,
        {
            "true": [nan, nan, 3, 4, 5],
            "observed": [1, 2, 2, 2, 2],
            "short": [nan, nan, 6, 6, 6],
        },
    )
    assert [timeline.runs("short", frame) for frame in range(5)] == [
        False, False, True, False, False,
    ]  # fmt: skip
    assert [timeline.caption(frame) for frame in range(5)] == [
        "-40 ms", "0 ms", "40 ms", "80 ms", "120 ms",
    ]  # fmt: skip


def test_nothing_observed():
    timeline = Timeline({"a": motion(1, 2), "b": motion(1)}, 30.0)
    assert timeline.num_frames == 2
    assert [timeline.caption(f) for f in range(2)] == ["0 ms", "33 ms"]


@pytest.mark.parametrize("rate", [0.0, -1.0, np.nan, np.inf])
def test_wrong_rate(rate):
    with pytest.raises(ValueError, match="'frame_rate' must be positive"):
        Timeline({"a": motion(1)}, rate)
