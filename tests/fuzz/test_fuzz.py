"""Damaged files of every kind give a result or a sentence. `python -m tests.fuzz --minutes 60` reads more of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzz.harness import fuzz, outcome
from tests.fuzz.mutations import mutated
from tests.fuzz.readers import Kind


def test_damaged_files_give_a_result_or_a_sentence(tmp_path: Path) -> None:
    report = fuzz(tmp_path, seed=0, inputs=500, seconds=600)
    assert not report.findings, report
    assert report.inputs.total() == 500 and len(report.inputs) >= 12


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, ""),
        (ValueError("input-1.txt is empty; give the whole file"), ""),
        (ValueError("could not convert string to float: 'x'"), "ValueError without the file's name outside avdet"),
        (KeyError("x"), "KeyError outside avdet"),
        (MemoryError(), "MemoryError outside avdet"),
    ],
)
def test_what_counts_as_a_finding(tmp_path: Path, error: Exception | None, expected: str) -> None:
    def read(_: Path) -> None:
        if error is not None:
            raise error

    assert outcome(Kind("text", 1, [], read), tmp_path / "input-1.txt")[0].startswith(expected or "")
    assert bool(outcome(Kind("text", 1, [], read), tmp_path / "input-1.txt")[0]) == bool(expected)


def test_mutations_repeat_with_their_seed_and_keep_an_archive() -> None:
    data = b'{"a": [1, 2, {"b": "c"}]}'
    changed = [mutated(data, data, random.Random(seed)) for seed in range(50)]
    assert changed == [mutated(data, data, random.Random(seed)) for seed in range(50)]
    assert len({*changed}) > 40
