from pathlib import Path

import pytest

from avdet.cli import make_sample as cli
from avdet.synthetic.make_sample import is_sample
from tests.synthetic.tiny import TINY


def test_it_makes_the_set_and_says_how_large_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([str(tmp_path / "new"), "--seed", "3", "--workers", "1"], TINY) == 0
    assert is_sample(tmp_path / "new", seed=3, settings=TINY)
    assert "MB in" in capsys.readouterr().out


def test_a_folder_of_other_things_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(SystemExit) as ended:
        cli.main([str(tmp_path)])
    assert ended.value.code == 2
    assert "give an empty or a new folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main([str(tmp_path / "new"), "--seed", "-1"])
    assert "--seed is -1; give 0 or more" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
