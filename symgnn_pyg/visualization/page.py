"""The page of a figure with moving poses."""

import base64
import gzip
import html
import os
from pathlib import Path
from string import Template
from typing import Any

from symgnn_pyg.files import replacing

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0; overflow: hidden; }
@media (prefers-color-scheme: dark) {
  body { background: black; }
  #poses { filter: invert(1) hue-rotate(180deg); }
}
</style>
<script>
// Pausing an animation rejects its promise, which plotly does not handle.
addEventListener("unhandledrejection", (event) => {
  if (event.reason === undefined) event.preventDefault();
});
</script>
</head>
<body>
$figure
</body>
</html>
""")
# A figure that includes plotly is a third as large when compressed.
PACKED = Template("""
<p>This page requires JavaScript and a browser from 2023 or later.</p>
<script>
fetch("data:;base64,$packed").then((answer) => {
  const unpacked = new DecompressionStream("gzip");
  return new Response(answer.body.pipeThrough(unpacked)).text();
}).then((figure) => document.body.replaceChildren(
  document.createRange().createContextualFragment(figure)));
</script>
""")
# On a narrow page, the bars lie below the bodies. An orthographic scene, which
# is as high as its box, must also be as wide.
FIT = """
const page = document.getElementById("{plot_id}"), scene = page.layout.scene;
const size = scene && [scene.xaxis, scene.yaxis, scene.zaxis].map(
  (axis) => axis.range[1] - axis.range[0]);
function fit() {
  const narrow = page.clientWidth < 700, change = {};
  if (page.layout.xaxis2) {
    const x = [0, narrow ? 1 : 0.68], y = [narrow ? 0.4 : 0, 1];
    Object.assign(change, {
      "xaxis2.domain": [narrow ? 0.3 : 0.8, narrow ? 0.9 : 0.95],
      "yaxis2.domain": [narrow ? 0.05 : 0.1, narrow ? 0.35 : 1],
      ...(scene ? {"scene.domain": {x, y}}
               : {"xaxis.domain": x, "yaxis.domain": y}),
    });
  }
  Plotly.relayout(page, change).then(() => {
    const box = page.querySelector("#scene");
    if (!box) return;
    const wide = box.clientWidth / box.clientHeight;
    const scale = 1.8 / Math.max(size[1], size[0] / wide);
    const [x, y, z] = size.map((s) => s * scale);
    Plotly.relayout(page, {"scene.aspectratio": {x, y, z}});
  });
}
fit();
addEventListener("resize", () => setTimeout(fit, 200));
"""


def write_page(
    figure: Any, path: str | os.PathLike[str], title: str, plotlyjs: str
) -> None:
    r"""Writes a page that fills the window; see :func:`view_poses`."""
    from plotly.offline import get_plotlyjs

    if plotlyjs == "directory":
        with replacing(Path(path).with_name("plotly.min.js")) as temporary:
            temporary.write_text(get_plotlyjs(), encoding="utf-8")
    content = figure.to_html(
        include_plotlyjs=plotlyjs == "page" or plotlyjs,
        full_html=False,
        post_script=FIT,
        auto_play=False,
        default_height="100vh",
        div_id="poses",
        # Remove the button that uploads the motion to a server.
        config={
            "displaylogo": False,
            "responsive": True,
            "showSendToCloud": False,
            "plotlyServerURL": "",
            "modeBarButtonsToRemove": ["select2d", "lasso2d"],
        },
    )
    if plotlyjs == "page":
        packed = base64.b64encode(gzip.compress(content.encode(), mtime=0))
        content = PACKED.substitute(packed=packed.decode())
    page = PAGE.substitute(title=html.escape(title), figure=content)
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
