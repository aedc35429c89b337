from __future__ import annotations

from pathlib import Path

import pytest
import torch

from avdet.cli.benchmark import main
from avdet.cli.benchmark_predict import CLASSES, PARTS, Chain, measure
from avdet.data.build import build_clip_extractor
from avdet.media.reader import VideoReader
from avdet.models.build import build_model
from avdet.people.torchvision_rcnn import torchvision_rcnn
from avdet.settings import Config


def test_every_part_is_timed_and_the_film_is_whole(sample: Path, tiny_config: Config, tmp_path: Path) -> None:
    device, video = torch.device("cpu"), sample / "videos/sample_val_00.mp4"
    model = build_model(tiny_config.model, num_classes=CLASSES, head="roi").eval()
    people = torchvision_rcnn("tiny", None, device)
    chain = Chain(model, build_clip_extractor(tiny_config), 48, people, 2, device)
    spent = measure(chain, video, tmp_path / "a.mp4", rate=1.0)
    assert set(spent) == set(PARTS) and all(one.wall_s > 0 and one.cpu_s > 0 for one in spent.values())
    with VideoReader(video) as before, VideoReader(tmp_path / "a.mp4") as after:
        assert len(list(before.play())) == len(list(after.play()))


def test_given_boxes_need_nobody_to_look(sample: Path, tiny_config: Config, tmp_path: Path) -> None:
    model = build_model(tiny_config.model, num_classes=CLASSES, head="roi").eval()
    chain = Chain(model, build_clip_extractor(tiny_config), 48, None, 1, torch.device("cpu"))
    assert "people" not in measure(chain, sample / "videos/sample_val_00.mp4", tmp_path / "a.mp4", rate=0.5)


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["predict", "--seconds", "1"])
    assert stop.value.code == 2 and "leave nothing to measure" in capsys.readouterr().err
