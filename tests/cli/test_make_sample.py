"""make_sample.py with a tiny sample set."""

from pathlib import Path

import pytest

from avdet.cli.make_sample import main
from avdet.synthetic.make_sample import is_sample
from tests.cli.refusal import refusal
from tests.synthetic.tiny import TINY


def test_the_sample_set_is_created_and_its_size_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "new"), "--seed", "3", "--workers", "1"], TINY) == 0
    assert is_sample(tmp_path / "new", seed=3, settings=TINY)
    assert "MB in" in capsys.readouterr().out


def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("")
    assert "give an empty or a new folder" in refusal(main, capsys, tmp_path)
    assert "--seed is -1; give 0 or more" in refusal(main, capsys, tmp_path / "new", "--seed", "-1")
    assert not (tmp_path / "new").exists()
