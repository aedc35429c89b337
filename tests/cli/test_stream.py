from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from avdet.checkpoints.checkpoint_io import save_checkpoint
from avdet.cli import stream
from avdet.config import Config
from avdet.media.reader import VideoReader
from avdet.models.build import build_model
from avdet.people.build_detector import build_trainable_detector, save_person_detector


@pytest.fixture
def weights(tmp_path: Path, tiny_config: Config) -> list[str]:
    """Random ones of both networks."""
    torch.manual_seed(0)
    classes = tiny_config.detection_dataset().class_names()
    model = build_model(tiny_config.model, num_classes=len(classes), head="roi")
    config = tiny_config.model_dump(mode="json")
    save_checkpoint(tmp_path / "best.pt", model_state=model.state_dict(), config=config, class_names=classes.label_map)
    save_person_detector(tmp_path / "people.pt", build_trainable_detector("torchvision", device="cpu", sample=True))
    return ["--checkpoint", str(tmp_path / "best.pt"), "--person-weights", str(tmp_path / "people.pt")]


@pytest.mark.parametrize("drawn", [True, False])
def test_a_file_is_watched_in_real_time_and_written(
    sample: Path, weights: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], drawn: bool
) -> None:
    """Without an action that is sure enough the pictures are the source's, each at its time."""
    source, output = sample / "videos/sample_val_00.mp4", tmp_path / "out" / "live.mp4"
    started = time.monotonic()
    options = ["--min-box-score", "0.4", "--min-score", "0" if drawn else "2", "--seconds", "2.5"]
    assert stream.main([str(source), *weights, *options, "--output", str(output)]) == 0
    assert time.monotonic() - started > 2.4
    said = capsys.readouterr().out
    assert "frames shown" in said and "latency" in said
    with VideoReader(output) as film, VideoReader(source, short_side=360) as video:
        last_s = film.info.duration_s  # a busy machine drops the last ones too
        assert 0.5 < last_s < 2.6
        (shown,), (plain,) = film.frames([last_s]), video.frames([last_s])
    assert (abs(shown[:300].astype(int) - plain[:300]).mean() > 12) == drawn
    assert (shown[330:, 240:] > 200).any()  # the note in the corner


def test_without_a_display_it_asks_for_a_file(
    weights: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    for more, sentence in [
        ([], "there is no display for a window; give --output FILE.mp4"),
        (["--output", "a.avi"], "give a name that ends in .mp4"),
        (["--output", "a.mp4", "--min-score", "nan"], "--min-score is nan; give a number"),
        (["--output", "a.mp4", "--short-side", "8"], "--short-side is 8; give 64 pixels or more"),
        (["--output", "a.mp4", "--keyframe-rate", "0"], "the keyframe rate is 0 per second"),
    ]:
        with pytest.raises(SystemExit) as stop:
            stream.main(["none.mp4", *weights, *more])
        assert stop.value.code == 2 and sentence in capsys.readouterr().err
