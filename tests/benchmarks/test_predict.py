from __future__ import annotations

from pathlib import Path

import pytest
import torch

from avdet.config import Config
from avdet.data.build import build_clip_extractor
from avdet.media.video_reader import VideoReader
from avdet.models.build import build_model
from avdet.people.torchvision_rcnn import torchvision_rcnn
from benchmark import main
from benchmarks.predict import CLASSES, STAGES, Pipeline, measure


def test_every_stage_is_timed_and_all_frames_are_written(sample: Path, tiny_config: Config, tmp_path: Path) -> None:
    device, video = torch.device("cpu"), sample / "videos/sample_val_00.mp4"
    model = build_model(tiny_config.model, num_classes=CLASSES, head="roi").eval()
    persons = torchvision_rcnn("tiny", None, device)
    pipeline = Pipeline(model, build_clip_extractor(tiny_config), 48, persons, 2, device)
    spent = measure(pipeline, video, tmp_path / "a.mp4", rate=1.0)
    assert set(spent.busy_s) == set(STAGES) and min(spent.busy_s.values()) > 0
    assert max(spent.busy_s.values()) < spent.wall_s and spent.cpu_s > 0
    with VideoReader(video) as before, VideoReader(tmp_path / "a.mp4") as after:
        assert len(list(before.play())) == len(list(after.play()))


def test_given_boxes_need_no_person_detector(sample: Path, tiny_config: Config, tmp_path: Path) -> None:
    model = build_model(tiny_config.model, num_classes=CLASSES, head="roi").eval()
    pipeline = Pipeline(model, build_clip_extractor(tiny_config), 48, None, 1, torch.device("cpu"))
    spent = measure(pipeline, sample / "videos/sample_val_00.mp4", tmp_path / "a.mp4", rate=0.5)
    assert spent.busy_s["persons"] < 0.1 * spent.wall_s


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["predict", "--seconds", "1"])
    assert stop.value.code == 2 and "--seconds is 1; give 1 or more boxes" in capsys.readouterr().err
