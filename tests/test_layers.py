"""Imports point down: a package may use those of lower floors, and data, models and people are blind to one another."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
FLOORS = [
    {"cli"},
    {"engine", "inference", "visualization", "annotations"},
    {"data"},
    {"config"},
    {"datasets", "models", "people", "synthetic"},
    {"media", "checkpoints", "config_errors", "config_yaml", "train_settings", "detection_table"},
    {"settings", "structures", "boxes"},
    {"distributed", "atomic_write", "resume_journal"},
]
SECTIONS = {("avdet", "config"), ("avdet", "settings"), ("avdet", "train_settings")}
HEIGHT = {place: len(FLOORS) - floor for floor, places in enumerate(FLOORS) for place in places}
SIBLINGS = {place for places in FLOORS[:-1] for place in places}
FILES = sorted((REPOSITORY / "avdet").rglob("*.py"))


def place_of(parts: tuple[str, ...]) -> str:
    """The floor's place of a module's dotted parts after `avdet`."""
    return parts[0] if parts else "__init__"


def imported(path: Path) -> Iterator[tuple[str, ...]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield tuple(node.module.split("."))
        elif isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_imports_point_down(path: Path) -> None:
    here = place_of(path.relative_to(REPOSITORY / "avdet").with_suffix("").parts)
    for module in imported(path):
        if module[0] != "avdet" or here == "__init__":
            continue
        there = place_of(module[1:])
        if there != here:
            assert HEIGHT[there] <= HEIGHT[here], f"{path} imports {'.'.join(module)}"
            assert not {here, there} <= SIBLINGS or HEIGHT[there] < HEIGHT[here], f"{here} and {there} are siblings"


def test_ava_eval_stands_alone() -> None:
    for path in (REPOSITORY / "ava_eval").rglob("*.py"):
        assert not {module[0] for module in imported(path)} & {"avdet", "torch", "torchvision", "av", "cv2"}, path


def test_a_config_stops_at_build() -> None:
    """Below engine/ only build files read the sections of a config; datasets/ defines its own."""
    for place in ("data", "models", "people", "media", "checkpoints", "visualization", "synthetic"):
        for path in (REPOSITORY / "avdet" / place).rglob("*.py"):
            if not path.name.startswith("build"):
                assert not {("avdet", "config"), ("avdet", "settings"), ("avdet", "train_settings")} & set(
                    imported(path)
                ), path


def test_the_library_prints_nothing_and_files_are_small() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 300, f"{path} has over 300 lines"
        calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
        assert not any(isinstance(call, ast.Name) and call.id == "print" for call in calls), path
