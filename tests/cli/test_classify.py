"""classify.py: tables, broken videos, resumed commands and other kinds of checkpoints."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch

from avdet.cli.classify import main
from avdet.datasets.class_names import ClassNames
from avdet.engine.predictions_csv import read_predictions
from avdet.inference.classifier import ActionClassifier, ViewScores
from avdet.inference.windows import Windows
from avdet.overlap import StageTimes
from tests.checkpoints.reference_names import AVA_CONFIG, mmaction2, slowfast
from tests.cli.refusal import refusal
from tests.inference.tiny_classifier import ACTIONS, EPIC_SETS, save_tiny_classifier
from tests.inference.tiny_detector import write_noise_video


@pytest.fixture(scope="module")
def noise_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noise_video(tmp_path_factory.mktemp("videos") / "noise.mp4", 6)


@pytest.fixture
def videos(tmp_path: Path, noise_video: Path) -> Path:
    """Two videos, a broken one and a text file."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(noise_video, folder / name)
    (folder / "broken.mp4").write_bytes(noise_video.read_bytes()[:2000])
    (folder / "notes.txt").touch()
    return folder


def checkpoint_in(folder: Path) -> str:
    return str(save_tiny_classifier(folder / "best.pt"))


def test_a_folder_is_classified_and_a_broken_video_named(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    argv = [str(videos), "--checkpoint", checkpoint_in(tmp_path), "--output", str(output), "--top", "2"]
    assert main(argv) == 0
    printed = capsys.readouterr().out
    assert "1 files: " in printed and "notes.txt" in printed
    assert "2 of 3 videos are in" in printed and "1 could not be read" in printed
    assert pd.read_csv(output / "errors.csv")["video"].tolist() == ["broken"]
    classes = {"action": ClassNames.numbered(ACTIONS["action"])}
    table = read_predictions(output / "predictions.csv", classes)["action"]
    assert table.index.tolist() == ["a", "b"]
    content = json.loads((output / "predictions.json").read_text())
    entries = [video["windows"][0]["scores"]["action"] for video in content["videos"]]
    best = classes["action"].names[int(table.to_numpy()[0].argmax())]
    assert [len(entry) for entry in entries] == [2, 2] and entries[0][0]["class"] == best
    assert f"a  {best} {table.to_numpy()[0].max():.3f}, " in printed
    tables = {name: (output / name).read_bytes() for name in ("predictions.csv", "predictions.json")}
    assert main(argv) == 0
    assert capsys.readouterr().out.count("already done") == 2
    assert tables == {name: (output / name).read_bytes() for name in tables}


def test_windows_have_their_times(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    epic = save_tiny_classifier(tmp_path / "epic.pt", "epic", EPIC_SETS)
    argv = [str(videos / "a.mp4"), "--checkpoint", str(epic), "--output", str(tmp_path / "out"), "--every", "2"]
    assert main(argv) == 0
    table = pd.read_csv(tmp_path / "out/predictions.csv")
    assert table["start_s"].tolist() == [0.0, 2.0, 4.0] and table["id"].tolist() == ["a"] * 3
    sets = [column for column in table.columns if ":" in column]
    assert sets == ["verb:take", "verb:put", "noun:cup", "noun:pan", "noun:lid"]
    printed = capsys.readouterr().out
    assert "a  2.0 - 2.5 s  verb: " in printed and "a  2.0 - 2.5 s  noun: " in printed


def test_an_interrupted_command_resumes_within_a_video(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [str(videos / "a.mp4"), "--checkpoint", checkpoint_in(tmp_path), "--every", "1", "--batch-size", "3"]
    assert main([*argv, "--output", str(tmp_path / "whole")]) == 0
    chunks = ActionClassifier.chunks

    def interrupted(
        classifier: ActionClassifier, windows: Windows, *, done: frozenset[int], times: StageTimes
    ) -> Iterator[tuple[int, ViewScores]]:
        for number, scores in chunks(classifier, windows, done=done, times=times):
            if number == 3:
                raise KeyboardInterrupt
            yield number, scores

    monkeypatch.setattr(ActionClassifier, "chunks", interrupted)
    resumed = [*argv, "--output", str(tmp_path / "resumed")]
    assert main(resumed) == 130
    assert "the same command resumes" in capsys.readouterr().out
    monkeypatch.undo()
    assert main(resumed) == 0
    assert "resuming after 3 of 6 chunks" in capsys.readouterr().out
    written = [(tmp_path / name / "predictions.csv").read_bytes() for name in ("whole", "resumed")]
    assert written[0] == written[1]
    assert "other settings (every)" in refusal(main, capsys, *resumed, "--every", "2")


def test_tables_keep_the_videos_of_earlier_commands(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--checkpoint", checkpoint_in(tmp_path), "--output", str(tmp_path / "out")]
    for name in ("b.mp4", "a.mp4"):
        assert main([str(videos / name), *options]) == 0
    assert "the tables include 1 video of earlier commands" in capsys.readouterr().out
    assert pd.read_csv(tmp_path / "out/predictions.csv")["id"].tolist() == ["a", "b"]


@pytest.mark.parametrize("code_base", ["PySlowFast", "MMAction2"])
def test_a_public_classifier_is_used_as_it_is(
    videos: Path, tmp_path: Path, code_base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content: dict[str, object] = {"model_state": slowfast(), "cfg": AVA_CONFIG.replace("ENABLE: true", "ENABLE: false")}
    if code_base == "MMAction2":
        content = {"state_dict": mmaction2(slowfast()), "meta": {}}
    path = tmp_path / "k400.pyth"
    torch.save(content, path)
    argv = [str(videos / "a.mp4"), "--checkpoint", str(path)]
    assert main([*argv, "--every", "3"]) == 0
    assert capsys.readouterr().out.count("class ") == 2 * 3


def test_a_detector_is_refused_before_a_video_is_read(
    videos: Path, tmp_path: Path, action_checkpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refusal(main, capsys, videos / "broken.mp4", "--checkpoint", action_checkpoint)
    assert "is a detector of the actions of persons (ava)" in message and "use tools/detect_actions.py" in message


def test_wrong_usage(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = ["--checkpoint", checkpoint_in(tmp_path)]
    (tmp_path / "user").mkdir()
    (tmp_path / "user/predictions.csv").touch()
    usages: list[tuple[list[object], str]] = [
        ([videos / "a.mp4", "--every", "0"], "--every is 0"),
        ([videos / "a.mp4", "--every", "nan"], "--every is nan"),
        ([videos / "a.mp4", "--top", "0"], "--top is 0"),
        ([], "no input"),
        ([videos / "broken.mp4"], "broken.mp4 cannot be"),
        ([videos / "broken.mp4", tmp_path / "absent.mp4"], "none of 2 videos could be read"),
        ([videos / "a.mp4", "--output", tmp_path / "user"], "predictions.csv exists and is not from this command"),
    ]
    for argv, message in usages:
        assert message in refusal(main, capsys, *argv, *checkpoint)
