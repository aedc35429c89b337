"""atomic_write: the old file stays until the new one is complete, and nothing else is left."""

from pathlib import Path

import pytest

from avdet.atomic_write import atomic_write, partial_path, remove_partial_files


def test_old_file_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "results.json"
    for text in ("first", "second"):
        with atomic_write(path) as partial:
            partial.write_text(text)
            assert not path.exists() or path.read_text() == "first"
        assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


def test_exception_keeps_the_old_file_and_removes_the_partial_one(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text("old")

    def write_and_fail() -> None:
        with atomic_write(path) as partial:
            partial.write_text("half of")
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        write_and_fail()
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_partial_files_of_killed_processes_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    for name in (path, partial_path(path), tmp_path / ".last.pt.123.partial"):
        name.write_bytes(b"half of it")
    remove_partial_files(tmp_path)
    assert list(tmp_path.iterdir()) == [path]
