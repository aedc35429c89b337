import importlib

import pytest

from avdet.cli.main import VERBS, main
from tests.conftest import REPOSITORY


def test_every_tool_is_a_verb() -> None:
    tools = {path.stem for path in (REPOSITORY / "tools").glob("*.py")} - {
        "benchmark",
        "check_install",
        "settings_page",
    }
    assert set(VERBS) == tools
    assert list(VERBS) == sorted(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert callable(importlib.import_module(f"avdet.cli.{verb}").main)
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    assert stop.value.code == 0 and "usage:" in capsys.readouterr().out


def test_an_unknown_verb_is_refused_with_the_list_of_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fly"]) == 2
    assert "unknown verb 'fly'; the verbs are cache_videos" in capsys.readouterr().err
    assert main([]) == 0 and "verbs:" in capsys.readouterr().out
