from __future__ import annotations

from pathlib import Path

import pytest

from avdet.datasets.tables import read_lines, read_table, whole_numbers
from tests.datasets.text_file import write_file


def test_text_is_utf8_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbfa b\r\n\r\nc\r\n")
    assert read_lines(tmp_path / "list.txt") == ["a b", "c"]
    (tmp_path / "list.txt").write_bytes("ab\nä\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"list\.txt is not UTF-8 text \(byte 0xe4 at 3\); save it as UTF-8"):
        read_lines(tmp_path / "list.txt")


def test_cells_are_strings_and_missing_ones_are_empty(tmp_path: Path) -> None:
    table = read_table(write_file(tmp_path, "t.csv", "\ufeffid, b ,c\nNA,, x\n007\n"), ("id", "b", "c"))
    assert table.to_numpy().tolist() == [["NA", "", "x"], ["007", "", ""]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; give the whole file"),
        ("a,b\n1,2,3\n", "rows with more cells than its header has columns"),
        ("a,b\n1,2\n1,2,3\n", "not a readable UTF-8 CSV"),
        ("a\n1\n", r"has no column b \(it has a\)"),
        ("a,b\n1,x\n", "line 2: b is 'x', not a number"),
        ("a,b\n1,1\n1,1.5\n", r"line 3: b is '1\.5', not an id"),
        ("a,b\n1,inf\n", "b is 'inf', not an id"),
        ("a,b\n1\n", "b is '', not an id"),
    ],
)
def test_invalid_tables_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = write_file(tmp_path, "t.csv", text)
    with pytest.raises(ValueError, match=message):
        whole_numbers(read_table(path, ("a", "b")), "b", path)
