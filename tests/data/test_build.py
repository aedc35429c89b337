from __future__ import annotations

from pathlib import Path

import pytest
import torch

from avdet.config import Config
from avdet.data.build import build_detection_test_loader, build_detection_train_loader, build_positive_weights
from avdet.structures import ClipBatch


def with_data(config: Config, **settings: object) -> Config:
    return config.model_copy(update={"data": config.data.model_copy(update=settings)})


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_do_not_depend_on_the_workers(tiny_config: Config, workers: int) -> None:
    def batches(count: int) -> list[ClipBatch]:
        config = with_data(tiny_config, workers=count)
        loader, _ = build_detection_train_loader(config, config.detection_dataset())
        return list(loader)

    for batch, other in zip(batches(0), batches(workers), strict=True):
        assert batch.clips == other.clips
        assert torch.equal(batch.frames, other.frames)


def test_person_boxes_at_other_times_than_keyframes_are_counted(
    tiny_config: Config, sample: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    boxes = (sample / "annotations/ava_val_predicted_boxes.csv").read_text()
    video, _, *rest = boxes.splitlines()[0].split(",")
    (tmp_path / "boxes.csv").write_text(boxes + ",".join([video, "1.23", *rest[:-1], "1.0"]) + "\n")
    benchmark = with_data(tiny_config, val_boxes=tmp_path / "boxes.csv").detection_dataset()
    with caplog.at_level("INFO"):
        build_detection_test_loader(tiny_config, benchmark, benchmark.read("val"))
    assert "1 more are not at a keyframe of these videos" in caplog.text


def test_a_subset_of_classes_with_weights_and_repeated_keyframes(tiny_config: Config) -> None:
    config = with_data(
        tiny_config,
        classes=("walk", "sit", "stand"),
        exclusive_groups=(("stand", "sit"),),
        class_weights="inverse_sqrt",
        repeat_threshold=0.9,
    )
    benchmark = config.detection_dataset()
    loader, sampler = build_detection_train_loader(config, benchmark)
    weights = build_positive_weights(benchmark, loader)
    assert weights is not None and weights.mean() == pytest.approx(1.0)
    assert sampler.repeats is not None and sampler.repeats.max() > 1
    assert next(iter(loader)).labels["action"].shape[1] == 3
