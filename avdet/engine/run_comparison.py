"""Runs side by side: what was set otherwise, and what came out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from avdet.config import load_config
from avdet.engine.run_dir import RunDir

__all__ = ["RunComparison", "compare_runs"]

ABSENT = "-"
SECTIONS = ("detection", "classification", "pretraining", "people")
NOT_RESULTS = {"counts", "iou", "protocol"}


@dataclass(frozen=True)
class RunComparison:
    """settings: (key, one value a run) where they differ. numbers: (name, one a run), in the first's order; None: none.

    warnings: why the numbers may not be comparable.
    """

    settings: list[tuple[str, list[Any]]]
    numbers: list[tuple[str, list[float | None]]]
    warnings: list[str]


def compare_runs(folders: Sequence[Path]) -> RunComparison:
    """Raises ValueError for a folder that holds no finished run, and where no two runs share a number."""
    results = [_results(path) for path in folders]
    settings = [dict(_flat(load_config(RunDir(path).config).model_dump(mode="json"))) for path in folders]
    numbers = [dict(_numbers(result)) for result in results]
    differing = [(key, [one.get(key, ABSENT) for one in settings]) for key in _keys(settings)]
    if max(Counter(chain.from_iterable(numbers)).values(), default=0) < 2:
        raise ValueError(f"{' and '.join(map(str, folders))} have no result in common; compare runs of one kind")
    warnings = dict.fromkeys(chain.from_iterable(_warnings(results[0], other) for other in results[1:]))
    return RunComparison(
        [(key, values) for key, values in differing if any(value != values[0] for value in values)],
        [(name, [one.get(name) for one in numbers]) for name in _keys(numbers)],
        list(warnings),
    )


def _keys(tables: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(chain.from_iterable(tables)))


def _results(path: Path) -> dict[str, Any]:
    results = RunDir(path).results
    if not results.is_file():
        raise ValueError(
            f"{path} holds no results.json; give the folder of a run that was evaluated, such as runs/NAME"
        )
    try:
        content = json.loads(results.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ValueError(f"{results} is not what a run writes; evaluate the run again with tools/test_net.py")
    return content


def _numbers(results: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    """Every result, by its path; class names keep their own."""
    for section in SECTIONS:
        for name, value in _flat(_section(results, section)):
            if name.split(".")[0] not in NOT_RESULTS and (value is None or isinstance(value, int | float)):
                yield name, value


def _section(results: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Empty where a run has none."""
    section = results.get(name)
    return section if isinstance(section, dict) else {}


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _warnings(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    if one.get("data_fingerprint") != other.get("data_fingerprint"):
        yield "the data differ (fingerprints of annotations and videos), so the numbers are of two different tasks"
    others = _section(other, "versions")
    for name, version in _section(one, "versions").items():
        if version != others.get(name):
            yield f"{name} {version} against {others.get(name, ABSENT)}"
    if one.get("git_revision") != other.get("git_revision"):
        yield f"code {one.get('git_revision')} against {other.get('git_revision')}"
