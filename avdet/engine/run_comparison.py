"""Two runs side by side: what was set otherwise, and what came out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avdet.config import load_config
from avdet.engine.run_dir import RunDir

__all__ = ["RunComparison", "compare_runs"]

ABSENT = "-"
SECTIONS = ("detection", "classification", "pretraining")
NOT_RESULTS = {"counts", "iou", "protocol"}


@dataclass(frozen=True)
class RunComparison:
    """settings: (key, of A, of B) where they differ. numbers: (name, of A, of B), in A's order; None: not there.

    warnings: why the numbers may not be comparable.
    """

    settings: list[tuple[str, Any, Any]]
    numbers: list[tuple[str, float | None, float | None]]
    warnings: list[str]


def compare_runs(first: Path, second: Path) -> RunComparison:
    """Raises ValueError for a folder that holds no finished run."""
    one, other = _results(first), _results(second)
    settings = [dict(_flat(load_config(RunDir(path).config).model_dump(mode="json"))) for path in (first, second)]
    keys = list(dict.fromkeys([*settings[0], *settings[1]]))
    differing = [(key, settings[0].get(key, ABSENT), settings[1].get(key, ABSENT)) for key in keys]
    numbers = [dict(_numbers(result)) for result in (one, other)]
    names = list(dict.fromkeys([*numbers[0], *numbers[1]]))
    return RunComparison(
        [row for row in differing if row[1] != row[2]],
        [(name, numbers[0].get(name), numbers[1].get(name)) for name in names],
        list(_warnings(one, other)),
    )


def _results(path: Path) -> dict[str, Any]:
    results = RunDir(path).results
    if not results.is_file():
        raise ValueError(
            f"{path} holds no results.json; give the folder of a run that was evaluated, such as runs/NAME"
        )
    content: dict[str, Any] = json.loads(results.read_text(encoding="utf-8"))
    return content


def _numbers(results: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    """Every result, by its path; class names keep their own."""
    for section in SECTIONS:
        for name, value in _flat(results.get(section, {})):
            if name.split(".")[0] not in NOT_RESULTS and (value is None or isinstance(value, int | float)):
                yield name, value


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _warnings(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    if one.get("data_fingerprint") != other.get("data_fingerprint"):
        yield "the data differ (fingerprints of annotations and videos), so the numbers are of two different tasks"
    for name, version in one.get("versions", {}).items():
        if version != other.get("versions", {}).get(name):
            yield f"{name} {version} against {other.get('versions', {}).get(name, ABSENT)}"
    if one.get("git_revision") != other.get("git_revision"):
        yield f"code {one.get('git_revision')} against {other.get('git_revision')}"
