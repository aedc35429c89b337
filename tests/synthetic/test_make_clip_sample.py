from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avdet.media.video_reader import VideoReader
from avdet.synthetic.make_clip_sample import is_clip_sample, make_clip_sample, plan_videos
from avdet.synthetic.synthetic_settings import UNLABELLED
from tests.synthetic.tiny import TINY_CLIP_SAMPLE


def test_a_clip_is_the_segment_of_its_video(clip_sample: Path) -> None:
    sample_video = plan_videos(TINY_CLIP_SAMPLE.scenes, 0)[0]
    name, segment = sample_video.clips()[1]
    with (
        VideoReader(clip_sample / "clips" / f"{name}.mp4") as clip,
        VideoReader(clip_sample / "videos" / f"{sample_video.name}.mp4") as video,
    ):
        assert clip.info.duration_s == pytest.approx(segment.end_s - segment.start_s, abs=0.1)
        clip_frame, video_frame = clip.frames([0.51])[0], video.frames([segment.start_s + 0.51])[0]
    assert np.abs(clip_frame.astype(int) - video_frame.astype(int)).mean() < 6


def test_a_complete_set_is_recognised_by_settings_and_seed(clip_sample: Path) -> None:
    assert is_clip_sample(clip_sample, settings=TINY_CLIP_SAMPLE)
    assert not is_clip_sample(clip_sample)
    assert not is_clip_sample(clip_sample, seed=1, settings=TINY_CLIP_SAMPLE)


def test_a_folder_with_other_files_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("")
    with pytest.raises(ValueError, match=r"holds files but no clip_sample\.json.*empty or a new folder"):
        make_clip_sample(tmp_path, settings=TINY_CLIP_SAMPLE)


def test_the_unlabelled_set_has_only_whole_videos(tmp_path: Path) -> None:
    scenes = replace(UNLABELLED.scenes, num_train=2, num_val=1, width_px=64, height_px=48, fps=15)
    settings = replace(UNLABELLED, scenes=scenes)
    folder = make_clip_sample(tmp_path / "unlabelled", workers=1, settings=settings)
    assert is_clip_sample(folder, settings=settings) and not is_clip_sample(folder, settings=UNLABELLED)
    videos = sorted(folder.rglob("*.mp4"))
    assert len(videos) == 3 and {video.parent.name for video in videos} == {"videos"}
    with VideoReader(videos[0]) as reader:
        assert reader.info.has_audio and 4.3 < reader.info.duration_s < 5.4
