"""How the tools refuse wrong usage: exit status 2 and one sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest


def refusal(main: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str], *argv: object) -> str:
    """Runs a tool, checks that it refuses its arguments, and returns the sentence on stderr."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in argv])
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ") and message.count("\n") == 1, message
    return message
