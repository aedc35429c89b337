from __future__ import annotations

import torch

from avdet.config import Config
from avdet.data.build import build_detection_test_loader, build_detection_train_loader
from avdet.data.detection_clips import DetectionTrainClips
from avdet.data.detection_test_clips import DetectionTestClips
from avdet.data.sampler import SampleSpec
from avdet.media.video_reader import VideoReader


def test_a_sample_spec_determines_the_clip(tiny_config: Config) -> None:
    loader, _ = build_detection_train_loader(tiny_config, tiny_config.detection_dataset())
    dataset = loader.clips
    assert isinstance(dataset, DetectionTrainClips)
    clip, same, other = dataset[SampleSpec(1, 5)], dataset[SampleSpec(1, 5)], dataset[SampleSpec(1, 6)]
    assert torch.equal(clip.frames, same.frames) and torch.equal(clip.boxes_px, same.boxes_px)
    assert clip.audio is not None and same.audio is not None and torch.equal(clip.audio, same.audio)
    assert not torch.equal(clip.frames, other.frames)
    assert clip.frames.shape == (3, 8, 48, 48) and clip.audio.shape == (32, 80)
    assert len(clip.boxes_px) == len(clip.labels["action"]) == len(clip.people)


def test_a_test_clip_has_whole_frames_and_boxes_in_their_pixels(tiny_config: Config) -> None:
    benchmark = tiny_config.detection_dataset()
    dataset = build_detection_test_loader(tiny_config, benchmark, benchmark.read("val")).clips
    assert isinstance(dataset, DetectionTestClips)
    clip = dataset[0]
    assert clip.frames.shape == (3, 8, 48, 64)
    normalised_boxes = clip.boxes_px / torch.tensor([64.0, 48.0, 64.0, 48.0])
    assert torch.allclose(normalised_boxes, clip.people.boxes)
    with VideoReader(dataset.videos[clip.video], short_side=48) as video:
        keyframe = video.frames([clip.time_s + 1 / 60])[0]
    assert torch.equal(clip.frames[:, 4].permute(1, 2, 0), torch.from_numpy(keyframe))  # first of the second half
