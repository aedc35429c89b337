"""Imports point down, packages of one floor do not know one another, and files and functions are of moderate size."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

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
    {"distributed", "atomic_write", "output_lock", "resume_journal", "overlap", "bounded_yaml"},
]
SECTIONS = {("avdet", "config"), ("avdet", "settings"), ("avdet", "train_settings")}
HEIGHT = {place: len(FLOORS) - floor for floor, places in enumerate(FLOORS) for place in places}
SIBLINGS = {place for places in FLOORS[:-1] for place in places}
FILES = sorted((REPOSITORY / "avdet").rglob("*.py"))
SOURCES = [*FILES, *sorted((REPOSITORY / "ava_eval").rglob("*.py"))]
TOOLS = sorted((REPOSITORY / "tools").rglob("*.py"))
SPECIAL_FILES = {"__init__.py", "__main__.py"}


def place_of(parts: tuple[str, ...]) -> str:
    """The floor's place of a module's dotted parts after `avdet`."""
    return parts[0] if parts else "__init__"


def layer_of(path: Path) -> str:
    """The floor of a file of avdet; ava_eval is a layer of its own."""
    package, *parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return f"floor {HEIGHT.get(parts[0])}" if package == "avdet" else package


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[tuple[str, ...]]:
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield tuple(node.module.split("."))
        elif isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_imports_point_down(path: Path) -> None:
    place = place_of(path.relative_to(REPOSITORY / "avdet").with_suffix("").parts)
    for module in imported(path):
        if module[0] != "avdet" or place == "__init__":
            continue
        target = place_of(module[1:])
        if target != place:
            assert HEIGHT[target] <= HEIGHT[place], f"{path} imports {'.'.join(module)}"
            assert not {place, target} <= SIBLINGS or HEIGHT[target] < HEIGHT[place], f"{place}, {target}: siblings"


def test_ava_eval_stands_alone() -> None:
    for path in (REPOSITORY / "ava_eval").rglob("*.py"):
        assert not {module[0] for module in imported(path)} & {"avdet", "torch", "torchvision", "av", "cv2"}, path


def test_a_config_stops_at_build() -> None:
    """Below engine/ only build files read the sections of a config; datasets/ defines its own."""
    for place in ("data", "models", "people", "media", "checkpoints", "visualization", "synthetic"):
        for path in (REPOSITORY / "avdet" / place).rglob("*.py"):
            if not path.name.startswith("build"):
                assert not SECTIONS & set(imported(path)), path


def test_the_library_prints_nothing() -> None:
    for path in FILES:
        calls = [node.func for node in ast.walk(parse(path)) if isinstance(node, ast.Call)]
        assert not any(isinstance(call, ast.Name) and call.id == "print" for call in calls), path


def test_files_have_one_idea_each() -> None:
    """Neither fragments nor collections; only `__init__`, `__main__` and the tools' entry points may be short."""
    sizes = {path: path.read_text(encoding="utf-8").count("\n") for path in SOURCES}
    assert 80 <= median(size for path, size in sizes.items() if path.name not in SPECIAL_FILES) <= 150
    for path, lines in sizes.items():
        assert lines <= 300, f"{path} has {lines} lines; split it"
        assert lines >= 25 or path.name in SPECIAL_FILES, f"{path} has {lines} lines; merge it into its neighbour"


def test_file_names_are_unique_within_a_layer() -> None:
    paths: dict[tuple[str, str], Path] = {}
    for path in SOURCES:
        if path.name not in SPECIAL_FILES:
            other = paths.setdefault((layer_of(path), path.name), path)
            assert other is path, f"{path} and {other} are in one layer; name them by what differs"


def test_functions_are_short() -> None:
    for path in [*SOURCES, *TOOLS]:
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                assert lines <= 60, f"{path}: {node.name} has {lines} lines; split it"
