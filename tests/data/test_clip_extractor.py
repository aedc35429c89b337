from __future__ import annotations

from pathlib import Path

from avdet.data.clip_extractor import ClipExtractor
from avdet.media.logmel import LogMel
from avdet.media.video_reader import VideoReader
from tests.media.make_videos import numbers_of, write_video


def test_a_clip_spans_seconds_of_any_frame_rate(tmp_path: Path) -> None:
    """8 frames at 10 fps are the 16 frames of a 20 fps video from 0.6 s to 1.4 s."""
    extractor = ClipExtractor(span_frames=8, stride=2, nominal_fps=10.0, logmel=None)
    assert extractor.span_s == 0.8
    with VideoReader(write_video(tmp_path / "video.mp4", num_frames=40, fps=20)) as video:
        assert numbers_of(extractor.frames(video, 1.0)) == [13, 17, 21, 25]


def test_a_video_without_audio_gives_none(tmp_path: Path) -> None:
    extractor = ClipExtractor(span_frames=8, stride=2, nominal_fps=10.0, logmel=LogMel(num_frames=16, num_mels=16))
    with VideoReader(write_video(tmp_path / "silent.mp4", num_frames=20, fps=10)) as video:
        assert extractor.audio(video, 1.0) is None
