"""The console command, and the options of the tools that other people's scripts use."""

from __future__ import annotations

import importlib

import pytest

from avdet.cli.main import VERBS, main
from tests.conftest import REPOSITORY

NOT_INSTALLED = {"benchmark", "check_install", "settings_page"}
OPTIONS = {
    "train_net": ("--config", "--sample", "--output", "--resume", "--dry-run"),
    "test_net": ("--config", "--checkpoint", "--output"),
    "detect_people": ("--config", "--split", "--output", "--person-detector"),
    "detect_actions": ("--checkpoint", "--output", "--boxes", "--person-detector"),
    "visualize": ("--detections", "--output", "--player", "--ground-truth"),
    "check_data": ("--config", "--json"),
    "import_annotations": ("--videos", "--output"),
    "export_annotations": ("--detections", "--ground-truth", "--videos", "--to", "--output"),
    "convert_checkpoint": ("--config",),
}
RENAMED = {
    "detect_people": {"--detector": "--person-detector", "--rate": "--keyframe-rate", "--smooth": "--smooth-window"},
    "train_people": {"--detector": "--person-detector"},
    "detect_actions": {
        "--detector": "--person-detector",
        "--people": "--person-weights",
        "--people-model": "--person-model",
        "--rate": "--keyframe-rate",
        "--smooth": "--smooth-window",
    },
    "stream": {"--people": "--person-weights", "--people-model": "--person-model", "--rate": "--keyframe-rate"},
    "import_annotations": {"--every": "--keyframe-interval", "--val-share": "--val-fraction"},
    "visualize": {"--time-origin": "--timestamp-offset", "--without-sound": "--without-audio"},
    "export_onnx": {"--without-sound": "--without-audio"},
}


def test_every_tool_is_a_verb() -> None:
    tools = {path.stem for path in (REPOSITORY / "tools").glob("*.py")} - NOT_INSTALLED
    assert set(VERBS) == tools
    assert list(VERBS) == sorted(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert callable(importlib.import_module(f"avdet.cli.{verb}").main)
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    usage = capsys.readouterr().out
    assert stop.value.code == 0 and "usage:" in usage
    assert all(option in usage for option in OPTIONS.get(verb, ()))


@pytest.mark.parametrize(
    ("verb", "option"), [(verb, option) for verb, options in RENAMED.items() for option in options]
)
def test_renamed_options_are_refused_with_their_new_names(
    verb: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main([verb, option, "1"])
    assert stop.value.code == 2
    assert capsys.readouterr().err == f"error: unknown option {option}; did you mean {RENAMED[verb][option]}?\n"


def test_an_unknown_verb_is_refused_with_the_list_of_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fly"]) == 2
    assert "unknown verb 'fly'; the verbs are cache_videos" in capsys.readouterr().err
    assert main([]) == 0 and "verbs:" in capsys.readouterr().out


def test_list_configs_lists_the_configs_with_all_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list-configs", "AVA", "audio"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines and all(line.startswith("configs/") for line in lines if not line.startswith(" "))
    assert any(line.startswith("configs/ava/avslowfast.yaml") for line in lines)
    assert not any("hmdb51" in line for line in lines)
    with pytest.raises(SystemExit) as stop:
        main(["list-configs", "nothing-like-this"])
    assert stop.value.code == 2 and "no shipped config" in capsys.readouterr().err
