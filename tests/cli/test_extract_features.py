"""extract_features.py: vectors of windows and of persons, broken videos, resumed commands."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from avdet.cli.extract_features import main
from avdet.inference.detector import ActionDetector
from avdet.inference.window_features import FeatureExtractor
from avdet.inference.windows import Windows
from avdet.overlap import StageTimes
from tests.cli.refusal import refusal
from tests.inference.tiny_classifier import save_tiny_classifier
from tests.inference.tiny_detector import two_persons, write_noise_video


@pytest.fixture(scope="module")
def noise_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noise_video(tmp_path_factory.mktemp("videos") / "noise.mp4", 6)


@pytest.fixture
def videos(tmp_path: Path, noise_video: Path) -> Path:
    """A video and a broken one."""
    folder = tmp_path / "videos"
    folder.mkdir()
    shutil.copy(noise_video, folder / "a.mp4")
    (folder / "broken.mp4").write_bytes(noise_video.read_bytes()[:2000])
    return folder


@pytest.fixture
def classifier(tmp_path: Path) -> str:
    return str(save_tiny_classifier(tmp_path / "best.pt"))


def test_vectors_of_windows_and_a_broken_video(
    videos: Path, classifier: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    argv = [str(videos), "--checkpoint", classifier, "--output", str(output), "--every", "2"]
    assert main(argv) == 0
    assert "1 of 2 videos are in" in capsys.readouterr().out
    vectors, times = np.load(output / "a.npy"), pd.read_csv(output / "a.csv")
    assert vectors.dtype == np.float32 and times["start_s"].tolist() == [0.0, 2.0, 4.0]
    expected = FeatureExtractor.from_checkpoint(classifier, device="cpu")(videos / "a.mp4", every_s=2.0)
    np.testing.assert_allclose(vectors, expected.vectors, atol=1e-6)
    assert pd.read_csv(output / "errors.csv")["video"].tolist() == ["broken"]
    assert main(argv) == 0
    assert "a.mp4: already done" in capsys.readouterr().out


def test_vectors_of_persons(videos: Path, action_checkpoint: str, tmp_path: Path) -> None:
    boxes, output = two_persons("a", [1.0, 2.5]), tmp_path / "out"
    boxes.to_csv(tmp_path / "boxes.csv", index=False, header=False)
    argv = [str(videos / "a.mp4"), "--checkpoint", action_checkpoint, "--output", str(output), "--persons"]
    assert main([*argv, "--boxes", str(tmp_path / "boxes.csv"), "--min-box-score", "0.85"]) == 0
    rows, vectors = pd.read_csv(output / "a.csv"), np.load(output / "a.npy")
    assert rows["timestamp"].tolist() == [1.0, 2.5] and rows["person_id"].nunique() == 1
    np.testing.assert_allclose(rows["x1"], 0.05)  # the other person's score is 0.8
    detector = ActionDetector.from_checkpoint(action_checkpoint, device="cpu")
    table = detector.detect(videos / "a.mp4", boxes, min_box_score=0.85, features=True)
    expected = np.stack(table.groupby("timestamp")["features"].first().tolist())
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_an_interrupted_command_resumes_within_a_video(
    videos: Path, classifier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [str(videos / "a.mp4"), "--checkpoint", classifier, "--every", "1", "--batch-size", "2"]
    assert main([*argv, "--output", str(tmp_path / "whole")]) == 0
    chunks = FeatureExtractor.chunks

    def interrupted(
        extractor: FeatureExtractor, windows: Windows, *, done: frozenset[int], times: StageTimes
    ) -> Iterator[tuple[int, dict[str, NDArray[np.float32]]]]:
        for number, vectors in chunks(extractor, windows, done=done, times=times):
            if number == 2:
                raise KeyboardInterrupt
            yield number, vectors

    monkeypatch.setattr(FeatureExtractor, "chunks", interrupted)
    resumed = [*argv, "--output", str(tmp_path / "resumed")]
    assert main(resumed) == 130
    monkeypatch.undo()
    capsys.readouterr()
    assert main(resumed) == 0
    assert "resuming after 2 of 3 chunks" in capsys.readouterr().out
    assert (tmp_path / "whole/a.npy").read_bytes() == (tmp_path / "resumed/a.npy").read_bytes()


def test_wrong_usage(
    videos: Path, classifier: str, action_checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [videos / "a.mp4", "--output", tmp_path / "out"]
    detector = ["--checkpoint", action_checkpoint]
    (tmp_path / "user").mkdir()
    (tmp_path / "user/a.csv").touch()
    usages: list[tuple[list[object], str]] = [
        (["--checkpoint", classifier, "--persons"], "has no vectors of persons; leave --persons out"),
        ([*detector, "--boxes", "b.csv"], "--boxes has no effect on the vectors of windows; add --persons"),
        ([*detector, "--persons", "--every", "2"], "with --persons give --keyframe-rate"),
        ([*detector, "--persons", "--boxes", "b.csv", "--person-model", "tiny"], "--person-model has no effect"),
        ([*detector, "--every", "-1"], "--every is -1"),
        ([*detector, "--batch-size", "0"], "--batch-size is 0"),
        ([*detector, "--output", tmp_path / "user"], "a.csv exists and is not from this command"),
    ]
    for options, message in usages:
        assert message in refusal(main, capsys, *argv, *options)
