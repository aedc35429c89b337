"""stream.py with a file as live source."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from avdet.cli.stream import main
from avdet.media.video_reader import VideoReader
from tests.cli.refusal import refusal


@pytest.fixture
def weights(action_checkpoint: str, person_checkpoint: str) -> list[str]:
    return ["--checkpoint", action_checkpoint, "--person-weights", person_checkpoint]


@pytest.mark.parametrize("drawn", [True, False])
def test_a_file_is_annotated_in_real_time(
    sample: Path, weights: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], drawn: bool
) -> None:
    """If no person reaches the minimum score, the frames are those of the source at the same times."""
    source, output = sample / "videos/sample_val_00.mp4", tmp_path / "out" / "live.mp4"
    start = time.monotonic()
    options = ["--min-box-score", "0.4" if drawn else "1", "--min-score", "0", "--seconds", "2.5"]
    assert main([str(source), *weights, *options, "--output", str(output)]) == 0
    assert time.monotonic() - start > 2.4
    printed = capsys.readouterr().out
    assert "frames shown" in printed and "latency" in printed
    with VideoReader(output) as live, VideoReader(source, short_side=360) as video:
        last_s = live.info.duration_s  # under load the last frames are dropped too
        assert 0.5 < last_s < 2.6
        (annotated,), (plain,) = live.frames([last_s]), video.frames([last_s])
    assert (abs(annotated[:300].astype(int) - plain[:300]).mean() > 12) == drawn
    assert (annotated[330:, 240:] > 200).any()  # the latency in the corner


def test_wrong_usage(weights: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    for options, message in [
        ([], "there is no display for a window; give --output FILE.mp4"),
        (["--output", "a.avi"], "give a name that ends in .mp4"),
        (["--output", "a.mp4", "--min-score", "nan"], "--min-score is nan; give a number"),
        (["--output", "a.mp4", "--short-side", "8"], "--short-side is 8; give 64 pixels or more"),
        (["--output", "a.mp4", "--keyframe-rate", "0"], "the keyframe rate is 0 per second"),
    ]:
        assert message in refusal(main, capsys, "none.mp4", *weights, *options)
