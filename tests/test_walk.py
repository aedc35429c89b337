"""docs/architecture.md lists the files from tools/train_net.py to the first convolution, with their lines."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs" / "architecture.md"
ROW = re.compile(r"^\| \d+ \| `([\w/.]+)` \| (\d+) \|", re.MULTILINE)
WALK = (
    "tools/train_net.py",
    "avdet/cli/train_net.py",
    "avdet/config.py",
    "avdet/settings.py",
    "avdet/datasets/__init__.py",
    "avdet/datasets/detection.py",
    "avdet/datasets/ava.py",
    "avdet/engine/session.py",
    "avdet/engine/detection_task.py",
    "avdet/data/build.py",
    "avdet/data/detection_clips.py",
    "avdet/models/build.py",
    "avdet/engine/trainer.py",
    "avdet/models/action_model.py",
    "avdet/models/avslowfast.py",
    "avdet/models/visual_pathway.py",
)
MAX_FILES, MAX_LINES = 16, 1800


def num_lines(file: str) -> int:
    return (REPOSITORY / file).read_text(encoding="utf-8").count("\n")


def test_the_page_lists_the_files_with_their_numbers_of_lines() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert ROW.findall(page) == [(file, str(num_lines(file))) for file in WALK]
    assert f"{len(WALK)} files, {sum(map(num_lines, WALK)):,} lines" in page


def test_the_walk_is_short() -> None:
    assert len(WALK) <= MAX_FILES
    assert sum(map(num_lines, WALK)) <= MAX_LINES
