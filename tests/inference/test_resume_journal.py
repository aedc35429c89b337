"""A file of chunks that was cut anywhere gives back the whole chunks in it, and goes on behind them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdet.inference.predictions import PersonPredictions
from avdet.inference.resume_journal import ResumeJournal


def chunk(time_s: float, people: int = 2) -> PersonPredictions:
    boxes = np.tile(np.array([0.1, 0.2, 0.3, 0.4], np.float32), (people, 1))
    ones = np.ones(people, np.float32)
    scores = np.full((people, 3), time_s / 10, np.float32)
    return PersonPredictions(
        np.full(people, time_s), boxes, ones, np.full(people, -1), scores, np.zeros((people, 0), np.float32)
    )


def test_chunks_come_back_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    parts = ResumeJournal(tmp_path / "x.part", {"video": "x"})
    for number in (2, 0, 1, 0):
        parts.add(number, chunk(float(number), people=number))
    again = ResumeJournal(tmp_path / "x.part", {"video": "x"})
    assert again.done == {0, 1, 2}
    assert again.read().times_s.tolist() == [1.0, 2.0, 2.0]


def test_wherever_it_is_cut_whole_chunks_stay(tmp_path: Path) -> None:
    path = tmp_path / "x.part"
    parts = ResumeJournal(path, {"video": "x"})
    ends = [path.stat().st_size]
    for number in range(2):
        parts.add(number, chunk(float(number)))
        ends.append(path.stat().st_size)
    whole = path.read_bytes()
    for size in [*range(ends[0], ends[2], 97), ends[1], ends[1] + 1, ends[2] - 1, ends[2]]:
        path.write_bytes(whole[:size])
        assert ResumeJournal(path, {"video": "x"}).done == set(range(sum(size >= end for end in ends[1:])))
        assert path.stat().st_size == max(end for end in ends if end <= size)
    ResumeJournal(path, {"video": "x"}).add(1, chunk(1.0))
    assert path.read_bytes() == whole


def test_a_flipped_bit_and_an_absurd_length_end_it(tmp_path: Path) -> None:
    path = tmp_path / "x.part"
    ResumeJournal(path, {}).add(0, chunk(0.0))
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    assert not ResumeJournal(path, {}).done
    with path.open("ab") as file:
        file.write(b"\xff" * 64)
    assert not ResumeJournal(path, {}).done


def test_about_something_else_it_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.part"
    ResumeJournal(path, {"bytes": 1}).add(0, chunk(0.0))
    assert not ResumeJournal(path, {"bytes": 2}).done
    assert ResumeJournal(path, {"bytes": 2}).done == set()


@pytest.mark.parametrize("content", [b"", b"no end of line", b"\x00\x01\n\x02"])
def test_rubbish_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.part"
    path.write_bytes(content)
    parts = ResumeJournal(path, {})
    parts.add(0, chunk(0.0))
    assert ResumeJournal(path, {}).done == {0}
