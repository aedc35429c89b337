"""A journal that was cut anywhere keeps its complete records and continues after them."""

from __future__ import annotations

from pathlib import Path

import pytest

from avdet.resume_journal import ResumeJournal, plain_settings, require_same_settings


def content(number: int) -> bytes:
    return bytes([number]) * (300 + number)


def test_records_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    journal = ResumeJournal(tmp_path / "x.part", {"video": "x"})
    for number in (2, 0, 1, 0):
        journal.add(number, content(number))
    again = ResumeJournal(tmp_path / "x.part", {"video": "x"})
    assert again.done == {0, 1, 2}
    assert list(again.contents()) == [content(0), content(1), content(2)]


def test_complete_records_survive_a_cut_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "x.part"
    journal = ResumeJournal(path, {"video": "x"})
    ends = [path.stat().st_size]
    for number in range(2):
        journal.add(number, content(number))
        ends.append(path.stat().st_size)
    whole = path.read_bytes()
    for size in [*range(ends[0], ends[2], 17), ends[1], ends[1] + 1, ends[2] - 1, ends[2]]:
        path.write_bytes(whole[:size])
        assert ResumeJournal(path, {"video": "x"}).done == set(range(sum(size >= end for end in ends[1:])))
        assert path.stat().st_size == max(end for end in ends if end <= size)
    ResumeJournal(path, {"video": "x"}).add(1, content(1))
    assert path.read_bytes() == whole


def test_a_flipped_bit_and_an_absurd_length_end_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.part"
    ResumeJournal(path, {}).add(0, content(0))
    damaged = bytearray(path.read_bytes())
    damaged[-5] ^= 1
    path.write_bytes(damaged)
    assert not ResumeJournal(path, {}).done
    with path.open("ab") as file:
        file.write(b"\xff" * 64)
    assert not ResumeJournal(path, {}).done


def test_another_header_starts_the_file_again(tmp_path: Path) -> None:
    path = tmp_path / "x.part"
    ResumeJournal(path, {"bytes": 1}).add(0, content(0))
    assert not ResumeJournal(path, {"bytes": 2}).done
    assert ResumeJournal(path, {"bytes": 2}).done == set()


@pytest.mark.parametrize("garbage", [b"", b"no end of line", b"\x00\x01\n\x02"])
def test_garbage_is_replaced(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "x.part"
    path.write_bytes(garbage)
    journal = ResumeJournal(path, {})
    journal.add(0, content(0))
    assert ResumeJournal(path, {}).done == {0}


def test_other_settings_are_named(tmp_path: Path) -> None:
    settings = plain_settings({"weights": Path("a.pt"), "rate": 1.0})
    assert settings == {"weights": "a.pt", "rate": 1.0}
    require_same_settings(tmp_path, settings, dict(settings), remove="it")
    with pytest.raises(ValueError, match=r"other settings \(end, rate\); use the same .* remove it to start again"):
        require_same_settings(tmp_path, settings, {"weights": "a.pt", "rate": 2.0, "end": 5}, remove="it")
