"""What users do wrong ends in one line and exit code 2; a fault of ours stays a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from avdet.cli.errors import user_errors


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("one\n  sentence"), "error: one sentence\n"),
        (OSError("no room on the disk"), "error: no room on the disk\n"),
        (
            PermissionError(13, "Permission denied", "out"),
            "error: out: permission denied; correct the path, or the setting that names it\n",
        ),
    ],
)
def test_one_line_and_two(error: Exception, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, user_errors():
        raise error
    assert ended.value.code == 2 and capsys.readouterr().err == said


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), user_errors():
        (tmp_path / "classes.txt").read_text()
    assert "classes.txt: no such file or directory; correct" in capsys.readouterr().err


def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(KeyError), user_errors():
        raise KeyError("ours")
