import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.chart import draw, write

FILES = sorted((Path(__file__).parents[2] / "docs/benchmarks").glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_charts_of_the_page(path):
    chart = path.with_suffix(".svg")
    page = path.parent.with_suffix(".md").read_text()
    assert f"](benchmarks/{chart.name})" in page
    for run in json.loads(path.read_text()):
        assert f"{run['command']}, {run['commit']}" in chart.read_text()


def table(**columns):
    rows = [
        dict(zip(columns, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    ]
    return {"title": "t", "columns": [*columns], "rows": rows}


def run(*tables):
    return {"command": "c", "commit": "d", "tables": tables}


def test_bars_are_medians(tmp_path):
    ratios = table(
        N=[1, 1, 8, 8],
        who=["symgnn_pyg", "other"] * 2,
        ms=[[2.0, 3.0, 4.0]] * 4,
        forward=[[0.4, 0.5, 0.7], [1.0, 1.0, 1.0]] * 2,
        memory=[0.2, 1.0, 0.3, 1.0],
    )
    ratios["rows"].append({"N": 8, "who": "broken", "error": "none"})
    plain = table(what=["seconds"], measured=[1.5])
    forward, memory = draw([run(plain, ratios)]).get_axes()
    assert (forward.get_xlabel(), memory.get_xlabel()) == ("forward", "memory")
    names = ["N: 1", "symgnn_pyg", "other", "N: 8", "symgnn_pyg", "other"]
    labels = [label.get_text() for label in forward.get_yticklabels()]
    assert labels == [*names, "broken"]
    for ax, widths in ((forward, [0.5, 1, 0.5, 1]), (memory, [0.2, 1, 0.3, 1])):
        bars = ax.patches
        assert [bar.get_width() for bar in bars] == widths
        places = [bar.get_y() + bar.get_height() / 2 for bar in bars]
        np.testing.assert_allclose(places, [1, 2, 4, 5])
        ours, other = (bar.get_facecolor() for bar in bars[:2])
        assert ours != other
    path = tmp_path / "plain.json"
    path.write_text(json.dumps([run(plain)]))
    write(path)
    assert [*tmp_path.iterdir()] == [path]
