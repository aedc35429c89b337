"""Compares runs: the settings that differ, and every metric."""

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
NOT_METRICS = {"counts", "iou", "protocol", "ties"}


@dataclass(frozen=True)
class RunComparison:
    """Settings that differ and all metrics, each as (name, one value per run); None where a run lacks a metric.

    warnings: reasons why the metrics may not be comparable.
    """

    settings: list[tuple[str, list[Any]]]
    metrics: list[tuple[str, list[float | None]]]
    warnings: list[str]


def compare_runs(folders: Sequence[Path]) -> RunComparison:
    """Raises ValueError for a folder without a finished run, and if no two runs have a metric in common."""
    results = [_results(path) for path in folders]
    settings = [dict(_flatten(load_config(RunDir(path).config).model_dump(mode="json"))) for path in folders]
    metrics = [dict(_metrics(result)) for result in results]
    if max(Counter(chain.from_iterable(metrics)).values(), default=0) < 2:
        raise ValueError(f"{' and '.join(map(str, folders))} have no metric in common; compare runs of the same task")
    values_of = {key: [one.get(key, ABSENT) for one in settings] for key in _all_keys(settings)}
    warnings = dict.fromkeys(chain.from_iterable(_warnings(results[0], other) for other in results[1:]))
    return RunComparison(
        [(key, values) for key, values in values_of.items() if any(value != values[0] for value in values)],
        [(name, [one.get(name) for one in metrics]) for name in _all_keys(metrics)],
        list(warnings),
    )


def _all_keys(tables: Iterable[Mapping[str, Any]]) -> list[str]:
    """The keys of all tables, in the order of their first occurrence."""
    return list(dict.fromkeys(chain.from_iterable(tables)))


def _results(path: Path) -> dict[str, Any]:
    results = RunDir(path).results
    if not results.is_file():
        raise ValueError(f"{path} holds no results.json; pass the directory of an evaluated run, such as runs/NAME")
    try:
        content = json.loads(results.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ValueError(f"{results} is not a results file of avdet; evaluate the run again with tools/test_net.py")
    return content


def _metrics(results: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    """Every metric with its path as its name, such as AP.sit."""
    for section in SECTIONS:
        for name, value in _flatten(_section(results, section)):
            if name.split(".")[0] not in NOT_METRICS and (value is None or isinstance(value, int | float)):
                yield name, value


def _section(results: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A section of the results; empty if the run has none."""
    section = results.get(name)
    return section if isinstance(section, dict) else {}


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _warnings(first: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    if first.get("data_fingerprint") != other.get("data_fingerprint"):
        yield "the data differ (fingerprints of annotations and videos), so the metrics are not comparable"
    other_versions = _section(other, "versions")
    for name, version in _section(first, "versions").items():
        if version != other_versions.get(name):
            yield f"versions of {name} differ: {version} and {other_versions.get(name, ABSENT)}"
    if first.get("git_revision") != other.get("git_revision"):
        yield f"git revisions differ: {first.get('git_revision')} and {other.get('git_revision')}"
