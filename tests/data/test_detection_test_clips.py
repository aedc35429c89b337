from __future__ import annotations

import pytest
import torch

from avdet.config import Config
from avdet.data.build import build_detection_test_loader
from avdet.data.detection_test_clips import DetectionTestClips, KeyframeView, keyframe_views
from avdet.datasets.keyframe_split import KeyframeSplit


@pytest.fixture(scope="module")
def val(tiny_config: Config) -> KeyframeSplit:
    return tiny_config.detection_dataset().read("val")


def build_clips(config: Config, val: KeyframeSplit, **settings: object) -> DetectionTestClips:
    config = config.model_copy(update={"data": config.data.model_copy(update=settings)})
    clips = build_detection_test_loader(config, config.detection_dataset(), val).clips
    assert isinstance(clips, DetectionTestClips)
    return clips


def test_every_side_is_seen_as_it_is_and_mirrored_at_each_time() -> None:
    assert keyframe_views([256], flip=False, num_clips=1, span_s=2.0) == [KeyframeView(256)]
    views = keyframe_views([224, 256], flip=True, num_clips=3, span_s=2.0)
    assert len(views) == 12
    assert views[:4] == [
        KeyframeView(224, False, -0.5), KeyframeView(224), KeyframeView(224, False, 0.5),
        KeyframeView(224, True, -0.5),
    ]  # fmt: skip


def test_a_view_is_the_clip_at_its_side_mirrored(tiny_config: Config, val: KeyframeSplit) -> None:
    alone = build_clips(tiny_config, val)
    clips = build_clips(tiny_config, val, test_short_sides=(48, 64), test_flip=True)
    assert len(clips) == 4 * len(alone)
    plain, mirrored, larger, larger_mirrored = (clips[4 + i] for i in range(4))
    assert torch.equal(plain.frames, alone[1].frames)
    assert larger.frames.shape[2] == 64 and clips.location(7) == alone.location(1)
    for clip, flipped in ((plain, mirrored), (larger, larger_mirrored)):
        width = clip.frames.shape[-1]
        assert torch.equal(flipped.frames, clip.frames.flip(-1))
        for box, flipped_box in zip(clip.boxes_px, flipped.boxes_px, strict=True):
            x1, y1, x2, y2 = box.tolist()
            assert flipped_box.tolist() == pytest.approx([width - x2, y1, width - x1, y2])
        assert torch.equal(flipped.people.boxes, clip.people.boxes) and flipped.time_s == clip.time_s
        assert clip.audio is not None and flipped.audio is not None and torch.equal(clip.audio, flipped.audio)


def test_clips_around_a_keyframe_keep_its_time_and_persons(tiny_config: Config, val: KeyframeSplit) -> None:
    clips = build_clips(tiny_config, val, test_num_clips=3)
    earlier, centred, later = (clips[3 + i] for i in range(3))
    assert torch.equal(centred.frames, build_clips(tiny_config, val)[1].frames)
    assert earlier.time_s == centred.time_s == later.time_s
    assert torch.equal(earlier.people.boxes, later.people.boxes)
    assert not torch.equal(earlier.frames, later.frames)


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_processes_share_the_keyframes_with_all_their_views(
    tiny_config: Config, val: KeyframeSplit, world_size: int
) -> None:
    data = tiny_config.data.model_copy(update={"test_flip": True})
    config = tiny_config.model_copy(update={"data": data})
    dataset = config.detection_dataset()
    loaders = [
        build_detection_test_loader(config, dataset, val, rank=rank, world_size=world_size)
        for rank in range(world_size)
    ]
    parts = [[i for batch in loader.batch_sampler or () for i in batch] for loader in loaders]
    assert sorted(i for part in parts for i in part) == list(range(len(loaders[0].clips)))
    assert not any({i // 2 for i in parts[0]} & {i // 2 for i in part} for part in parts[1:])
