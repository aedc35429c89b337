from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from avdet.media.media_file import DecodeError
from avdet.people.fine_tune import (
    LabelledFrame,
    LabelledFrameLoader,
    LabelledFrames,
    fine_tune,
    horizontal_flip,
)
from avdet.people.person_metrics import person_metrics
from avdet.people.torchvision_rcnn import torchvision_rcnn
from tests.media.make_videos import number_of, write_video
from tests.people.scenes import BrightBoxDetector, person_boxes, scene


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[LabelledFrame]:
    video = write_video(tmp_path_factory.mktemp("videos") / "m.mp4", num_frames=20, fps=10)
    return [LabelledFrame(video, k / 10, person_boxes((0.1, 0.1, 0.3, 0.9), ids=[k])) for k in range(20)]


def test_a_labelled_frame_is_the_frame_at_its_time(frames: list[LabelledFrame]) -> None:
    image, labels = LabelledFrames(frames, flip=False)[13]
    assert (image.video, image.time_s, number_of(image.rgb)) == ("m", 1.3, 13)
    assert labels.person_ids.tolist() == [13]


def test_boxes_are_flipped_with_their_image() -> None:
    image, labels = scene(3)
    flipped_image, flipped = horizontal_flip(image, labels)
    assert np.array_equal(flipped_image.rgb[:, ::-1], image.rgb)
    (found,) = BrightBoxDetector()([flipped_image])
    order = torch.argsort(flipped.boxes[:, 0])
    assert torch.allclose(found.boxes[torch.argsort(found.boxes[:, 0])], flipped.boxes[order], atol=0.02)


def test_half_of_the_frames_are_flipped(frames: list[LabelledFrame]) -> None:
    torch.manual_seed(0)
    dataset = LabelledFrames(frames, flip=True)
    left = [bool(dataset[k % 20][1].boxes[0, 0] < 0.5) for k in range(40)]
    assert 8 <= sum(left) <= 32


@pytest.mark.parametrize("shuffle", [True, False])
def test_batches_hold_every_frame_once(frames: list[LabelledFrame], shuffle: bool) -> None:
    loader = LabelledFrameLoader(LabelledFrames(frames, flip=False), batch_size=5, workers=0, shuffle=shuffle)
    times = [image.time_s for batch in loader for image, _ in batch]
    assert sorted(times) == [k / 10 for k in range(20)]
    assert (times == sorted(times)) is not shuffle


@pytest.mark.parametrize("workers", [0, 1])
def test_a_frame_that_cannot_be_read_is_named(frames: list[LabelledFrame], tmp_path: Path, workers: int) -> None:
    (tmp_path / "truncated.mp4").write_bytes(frames[0].video.read_bytes()[:500])
    dataset = LabelledFrames([*frames[:3], LabelledFrame(tmp_path / "truncated.mp4", 0.0, person_boxes())], flip=False)
    with pytest.raises(DecodeError, match=r"truncated\.mp4 cannot be opened"):
        list(LabelledFrameLoader(dataset, batch_size=2, workers=workers, shuffle=False))


def test_a_tiny_model_learns_bright_boxes_in_seconds() -> None:
    torch.manual_seed(0)
    detector = torchvision_rcnn("tiny", None, torch.device("cpu"))
    batches = [[scene(2 * k + j) for j in range(2)] for k in range(20)]
    losses: list[float] = []
    fine_tune(detector, batches, epochs=3, steps_per_epoch=20, lr=0.03, on_step=losses.append)
    assert len(losses) == 60
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])
    images, truth = zip(*(scene(seed) for seed in range(1000, 1008)), strict=True)
    metrics = person_metrics(truth, detector(images), threshold=0.5)
    assert metrics.ap50 is not None and metrics.ap50 > 0.9


def test_a_loss_of_nan_is_an_error() -> None:
    torch.manual_seed(0)
    detector = torchvision_rcnn("tiny", None, torch.device("cpu"))
    with pytest.raises(ValueError, match="lower the learning rate"):
        fine_tune(detector, [[scene(0), scene(1)]] * 10, epochs=1, steps_per_epoch=10, lr=1e30)
