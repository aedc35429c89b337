"""benchmark.py train on a tiny config."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from avdet.config import Config
from benchmark import main


def test_command(
    tiny_config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "disable", lambda level: None)  # would silence the following tests
    config = tmp_path / "tiny.yaml"
    config.write_text(tiny_config.to_yaml())
    assert main(["train", "--config", str(config), "--turns", "1"]) == 0
    printed = capsys.readouterr().out
    assert "4 clips per step: bare" in printed and "training loop" in printed
