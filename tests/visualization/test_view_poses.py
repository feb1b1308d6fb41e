import base64
import gzip
import re
import sys
import time

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from symgnn_pyg.skeleton import Skeleton, cmu_positions
from symgnn_pyg.visualization import view_poses
from symgnn_pyg.visualization.colours import BLUE, GREY, ORANGE, SKY, VERMILLION

CMU26 = Skeleton.get("cmu26")

pytest.importorskip("plotly")


@pytest.fixture
def poses():
    torch.manual_seed(0)
    motion = cmu_positions(torch.randn(1, 26, 3).mul(0.2).repeat(10, 1, 1))
    motion[:, :, 1] += 0.02 * torch.arange(10.0)[:, None]
    true = motion[4:].clone().requires_grad_()
    return {
        "observed": motion[:4].numpy(),
        "true": true,
        "predicted": true.bfloat16(),
    }


def points(trace):
    """Its points without the gaps, as whole bones [P, 2, C]."""
    keys = [key for key in "xyz" if key in trace]
    line = np.stack([trace[key] for key in keys], -1)
    return line.reshape(-1, 3, len(keys))[:, :2]


def test_bones_side_by_side(poses):
    figure = view_poses(poses, CMU26, 25)
    assert len(figure.frames) == 10
    assert [step.label for step in figure.layout.sliders[0].steps] == [
        f"{40 * frame} ms" for frame in range(-3, 7)
    ]
    # Two shades a motion, and the three names.
    assert len(figure.data) == 9
    last = figure.frames[-1].data
    right = [b for b in CMU26.bones if CMU26.joints[b[0]].startswith("r")]
    rest = [bone for bone in CMU26.bones if bone not in right]
    shift = []
    for number, motion in enumerate(poses.values()):
        pose = torch.as_tensor(motion[-1]).detach().float().numpy()
        for trace, bones in ((0, rest), (1, right)):
            drawn = points(last[2 * number + trace])
            away = drawn - pose[np.array(bones)]
            # Float32, and one distance for all of a motion's joints.
            np.testing.assert_allclose(
                away, np.broadcast_to(away[0, 0], away.shape), atol=1e-5
            )
            shift.append(away[0, 0])
    shift = np.array(shift)
    np.testing.assert_allclose(shift[:, 1:], 0.0, atol=1e-5)
    np.testing.assert_allclose(
        shift[:, 0], np.repeat([0, 1, 2], 2) * shift[2, 0], atol=1e-5
    )
    assert shift[2, 0] > np.ptp(poses["observed"][..., 0])


def test_before_and_after_its_time(poses):
    figure = view_poses(poses, CMU26, 25)
    first, last = figure.frames[0].data, figure.frames[-1].data
    assert [trace.opacity for trace in first] == [1.0] * 6
    assert np.isnan(first[2].x).all()
    assert np.isnan(first[4].x).all()
    assert [trace.opacity for trace in last] == [0.5] * 2 + [1.0] * 4
    np.testing.assert_array_equal(last[0].y, figure.frames[3].data[0].y)


def test_equal_scale(poses):
    scene = view_poses(poses, CMU26, 25).layout.scene
    sizes = [
        np.ptp(getattr(scene, f"{k}axis").range) / getattr(scene.aspectratio, k)
        for k in "xyz"
    ]
    np.testing.assert_allclose(sizes, sizes[0])
    # The camera stays outside however the bodies are turned.
    corner = [getattr(scene.aspectratio, k) / 2 for k in "xyz"]
    eye = [getattr(scene.camera.eye, k) for k in "xyz"]
    assert np.linalg.norm(eye) > np.linalg.norm(corner)
    plane = {name: motion[..., :2] for name, motion in poses.items()}
    layout = view_poses(plane, CMU26, 25).layout
    assert layout.yaxis.scaleanchor == "x"


def test_bars_follow_the_time(poses):
    shares = torch.rand(10, 12).mul(0.5)
    shares[:, 5] = 0.0
    shares[:, 7] = 0.01
    shares[9, 0] = 1.0
    classes = [f"class {k}" for k in range(12)]
    figure = view_poses(poses, CMU26, 25, shares, classes)
    bars = figure.data[6]
    shown = [k for k in range(12) if k not in (5, 7)]
    assert list(bars.y) == [classes[k] for k in shown]
    for frame in (0, 9):
        np.testing.assert_allclose(
            figure.frames[frame].data[6].x, shares[frame, shown], rtol=1e-6
        )
    observed = view_poses(poses, CMU26, 25, shares[:4])
    np.testing.assert_array_equal(
        observed.frames[9].data[6].x, observed.frames[3].data[6].x
    )


@pytest.mark.parametrize(
    ("shape", "classes", "message"),
    [
        ((9, 2), None, r"of shape \[4 or 10, K\], got \[9, 2\]"),
        ((10, 2), ["a"], r"of shape \[4 or 10, 1\], got \[10, 2\]"),
        ((10,), None, r"of shape \[4 or 10, K\], got \[10\]"),
    ],
)
def test_wrong_probabilities(shape, classes, message, poses):
    with pytest.raises(ValueError, match=message):
        view_poses(poses, CMU26, 25, torch.zeros(shape), classes)


@pytest.mark.parametrize("wrong", [-0.1, 1.5, torch.nan])
def test_no_probabilities(wrong, poses):
    with pytest.raises(ValueError, match="between 0 and 1; apply a softmax"):
        view_poses(poses, CMU26, 25, torch.full((10, 2), wrong))


def test_classes_alone(poses):
    with pytest.raises(ValueError, match="'classes' requires 'probabilities'"):
        view_poses(poses, CMU26, 25, classes=["a"])


def test_without_plotly(poses, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(ImportError, match=r"symgnn_pyg\[vis\]"):
        view_poses(poses, CMU26, 25)


def test_page_holds_all_it_needs(poses, arm, tmp_path):
    path = tmp_path / "new" / "motion.html"
    wicked = "</script><script>alert(1)</script>"
    motion = {wicked: torch.rand(2, 3, 2)}
    view_poses(motion, arm, 25, torch.ones(2, 1), [wicked], path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert len(text) < 2_500_000
    (packed,) = re.findall(r'"data:;base64,([^"]+)"', text)
    figure = gzip.decompress(base64.b64decode(packed)).decode()
    for written in (text, figure):
        assert wicked not in written
        assert "<script src" not in written
    assert len(figure) > 3_000_000


def count(picture, colour):
    """How many points have about that colour."""
    return int((np.abs(picture - to_rgb(colour)).max(-1) < 0.04).sum())


def centre(browser, selector, at=0):
    """The middle of an element on the page."""
    return browser.evaluate(
        f"(() => {{ const r = document.querySelectorAll('{selector}')[{at}]"
        f".getBoundingClientRect();"
        f"return [r.x + r.width / 2, r.y + r.height / 2]; }})()"
    )


def test_in_a_browser(poses, browser, tmp_path):
    path = tmp_path / "motion.html"
    shares = torch.rand(10, 3).softmax(1)
    figure = view_poses(poses, CMU26, 25, shares, ["a", "b", "c"], path)
    browser.send("Page.navigate", url=path.as_uri())
    browser.until(
        "document.readyState === 'complete' && "
        "document.querySelector('#poses .slider-rail-rect') !== null"
    )
    active = "poses._fullLayout.sliders[0].active"

    # Plays to the end, and has been somewhere between.
    browser.drag(centre(browser, ".updatemenu-button", 0))
    browser.until(f"{active} > 0")
    browser.until(f"{active} === 9")
    # Again from the start, and pauses.
    browser.drag(centre(browser, ".updatemenu-button", 0))
    browser.until(f"{active} > 0 && {active} < 8")
    browser.drag(centre(browser, ".updatemenu-button", 1))
    time.sleep(0.2)
    paused = browser.evaluate(active)
    time.sleep(0.5)
    assert browser.evaluate(active) == paused < 9

    # Scrubs to the end: the three motions are there, the observed one faded.
    rail = browser.evaluate(
        "(() => { const r = document.querySelector('.slider-rail-rect')"
        ".getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; })()"
    )
    x, y, width, height = rail
    rail = [(x + width * i / 9, y + height / 2) for i in range(10)]
    browser.drag(*rail[4:])
    browser.until(f"{active} === 9")
    expected = figure.frames[9].data[2].y
    drawn = browser.evaluate("Array.from(poses._fullData[2].y, String)")
    np.testing.assert_allclose(np.array(drawn, float), expected, rtol=1e-6)
    bars = browser.evaluate("Array.from(poses._fullData[6].x)")
    np.testing.assert_allclose(bars, shares[9], rtol=1e-6)
    time.sleep(0.3)
    assert centre(browser, ".slider-grip-rect")[0] == pytest.approx(
        rail[9][0], abs=12
    )
    picture = browser.screenshot(tmp_path / "three.png")
    for colour in (GREY, BLUE, SKY, VERMILLION, ORANGE):
        assert count(picture, colour) > 100, colour

    # A click on its name hides a motion, also in other frames.
    browser.drag(centre(browser, ".legendtoggle", 2))
    browser.until("poses._fullData[4].visible === 'legendonly'")
    # A drag turns the bodies, and they stay so.
    front = browser.evaluate("poses._fullLayout.scene._scene.getCamera().eye")
    middle = centre(browser, "#scene")
    steps = [(middle[0] + 20 * i, middle[1] + 5 * i) for i in range(1, 8)]
    browser.drag(middle, *steps)
    time.sleep(0.3)
    turned = browser.evaluate("poses._fullLayout.scene._scene.getCamera().eye")
    assert abs(turned["x"] - front["x"]) > 0.1
    browser.drag(*rail[8:5:-1])
    browser.until(f"{active} === 6")
    time.sleep(0.3)
    kept = browser.evaluate("poses._fullLayout.scene._scene.getCamera().eye")
    assert kept == pytest.approx(turned)
    picture = browser.screenshot(tmp_path / "two.png")
    for colour in (GREY, BLUE, SKY):
        assert count(picture, colour) > 100, colour
    assert count(picture, VERMILLION) < 10

    # Nothing went wrong, and nothing was fetched.
    seen = [event for event in browser.events if "method" in event]
    for event in seen:
        assert event["method"] != "Runtime.exceptionThrown", event
        if event["method"] == "Runtime.consoleAPICalled":
            assert event["params"]["type"] not in ("error", "assert")
        if event["method"] == "Log.entryAdded":
            assert event["params"]["entry"]["level"] != "error", event
    fetched = {
        event["params"]["request"]["url"].split(":")[0]
        for event in seen
        if event["method"] == "Network.requestWillBeSent"
    }
    assert fetched <= {"file", "data", "blob"}

    # An old browser cannot unpack plotly, and shows a sentence.
    browser.send(
        "Page.addScriptToEvaluateOnNewDocument",
        source="delete window.DecompressionStream;"
        "addEventListener('unhandledrejection', (event) => {"
        "  window.reason = String(event.reason); });",
    )
    browser.send("Page.reload")
    browser.until("window.reason !== undefined")
    assert "DecompressionStream" in browser.evaluate("reason")
    assert browser.evaluate("document.body.innerText.trim()") == (
        "This page requires JavaScript and a browser from 2023 or later."
    )


def test_names_are_text(poses):
    link = '<a href="https://example.org">click</a>'
    poses[link] = poses.pop("predicted")
    figure = view_poses(poses, CMU26, 25, np.full((10, 2), 0.5), [link, "b"])
    written = {trace.name for trace in figure.data}
    written |= {text for trace in figure.data for text in trace.text or ()}
    written |= {name for t in figure.data if t.type == "bar" for name in t.y}
    assert sum("click" in text for text in written if text) == 1
    assert not any("<" in text for text in written if text)


@pytest.mark.parametrize("channels", [2, 3])
def test_two_bodies(channels, crab):
    """A dark and a light line per body, in their places at each frame."""
    motion = torch.randn(3, 2, 3, channels)
    figure = view_poses({"a": motion, "b": motion[:, 0]}, crab, 25)
    # Two lines for each of three bodies, and the two names.
    assert len(figure.data) == 8
    assert [t.name for t in figure.data if t.showlegend] == ["a", "b"]
    assert figure.layout.showlegend
    assert not view_poses({"a": motion}, crab, 25).layout.showlegend
    dashes = [trace.line.dash for trace in figure.data[:6]]
    assert dashes == ["solid"] * 2 + ["dot"] * 2 + ["solid"] * 2
    for frame, pose in zip(figure.frames, motion, strict=True):
        for body in range(2):
            left, right = frame.data[2 * body : 2 * body + 2]
            for trace, claw in ((left, 1), (right, 2)):
                np.testing.assert_allclose(
                    points(trace)[0], pose[body, [claw, 0]], rtol=1e-6
                )


def test_centre(poses):
    figure = view_poses(poses, CMU26, 25, centre="lfoot")
    bone = [b for b, _ in CMU26.bones].index(CMU26.index("lfoot"))
    shown = [points(frame.data[0])[bone, 0] for frame in figure.frames]
    np.testing.assert_allclose(shown, np.zeros((10, 3)), atol=1e-6)


def test_pages_share_plotly(poses, tmp_path):
    path = tmp_path / "a<b.html"
    view_poses(poses, CMU26, 25, path=path, plotlyjs="directory")
    text = path.read_text()
    assert len(text) < 500_000 < (tmp_path / "plotly.min.js").stat().st_size
    assert '<script src="plotly.min.js">' in text.replace(
        ' charset="utf-8"', ""
    )
    assert "<title>cmu26: observed, true, predicted</title>" in text
    view_poses(poses, CMU26, 25, path=path, plotlyjs="cdn")
    assert "https://cdn.plot.ly" in path.read_text()
    with pytest.raises(ValueError, match="'plotlyjs' must be one of"):
        view_poses(poses, CMU26, 25, plotlyjs=True)
