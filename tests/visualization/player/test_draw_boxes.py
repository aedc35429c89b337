"""The labels of a crowd on the page."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import resources

import pytest

_SCRIPT = """
const read = JSON.parse(require("fs").readFileSync(0, "utf-8"));
const shortened = (context, text, width) => (text.length <= width ? text : text.slice(0, Math.max(width - 1, 0)) + "…");
const size = (lines) => [Math.max(...lines.map((line) => line.length)), lines.length];
const context = {measureText: (text) => ({width: text.length})};
const lines = read.boxes.map((_, index) => [`#${index} talk to 0.50`, "sit 0.40"]);
process.stdout.write(JSON.stringify({
  lines: read.areas.map((area) => linesWithRoom(read.boxes, lines, size, area)),
  fitted: read.texts.map((text) => fittedLine(context, text, 12).replace("\\u200e", "|")),
}));
"""


def test_labels_of_a_crowd_have_less_text() -> None:
    """Letters are 1 x 1: each label is 15 x 2, or 15 x 1 with one line, or 2 x 1 with the id alone."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    source = resources.files("avdet.visualization.player").joinpath("draw_boxes.js").read_text(encoding="utf-8")
    boxes = [[0, 0, 10, 10], [0, 0, 30, 30], [0, 0, 20, 20]]
    texts = ["sit 0.50", "carry an object 0.50", "carry an object 0.50 / 0.25", "carry an object"]
    content = json.dumps({"boxes": boxes, "areas": [90, 89, 44, 5], "texts": texts})
    done = subprocess.run([node, "-e", source + _SCRIPT], input=content, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["lines"] == [
        [[f"#{index} talk to 0.50", "sit 0.40"] for index in range(3)],
        [[f"#{index} talk to 0.50"] for index in range(3)],
        [["#0"], ["#1"], ["#2"]],
        [[], ["#1"], ["#2"]],
    ]
    assert found["fitted"] == ["sit| 0.50", "carry …| 0.50", "…| 0.50 / 0.25", "carry an ob…|"]
