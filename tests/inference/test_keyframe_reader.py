"""Keyframes read in one pass are the frames and clips that are read one by one, and the file is opened once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch

from avdet.data.clip_extractor import ClipExtractor
from avdet.data.detection_test_clips import extract_whole_frame
from avdet.data.keyframes import Keyframe
from avdet.inference.keyframe_reader import Source, keyframe_images, open_source, read_clips, read_keyframes
from avdet.media.array_video import ArrayVideo
from avdet.media.frame_decoder import DecodedFrame, FrameDecoder
from avdet.media.logmel import LogMel
from avdet.media.media_file import DecodeError
from avdet.media.video_reader import VideoReader
from avdet.structures import Clip, PersonBoxes
from tests.inference.tiny_detector import write_noise_video

EXTRACTOR = ClipExtractor(32, 4, 15.0, LogMel(num_frames=32, num_mels=16))  # 8 frames of 2.1 s
SHORT_SIDE = 32


def one_by_one(source: Source, time_s: float) -> Clip:
    nobody = PersonBoxes.from_boxes(torch.zeros(0, 4))
    with open_source(source, short_side=SHORT_SIDE) as video:
        return extract_whole_frame(video, Keyframe("", time_s, time_s, nobody, torch.zeros(0, 0)), EXTRACTOR)


def require_equal(source: Source, times_s: Sequence[float]) -> None:
    images = keyframe_images(source, times_s)
    read = list(read_keyframes(source, times_s, EXTRACTOR, short_side=SHORT_SIDE, needs_frames=True))
    for expected, time_s, (image, clip) in zip(images, times_s, read, strict=True):
        assert (image.video, image.time_s, clip.video, clip.time_s) == (expected.video, time_s, expected.video, time_s)
        np.testing.assert_array_equal(image.rgb, expected.rgb)
        alone = one_by_one(source, time_s)
        assert torch.equal(clip.frames, alone.frames)
        assert (clip.audio is None) == (alone.audio is None)
        if clip.audio is not None and alone.audio is not None:
            assert torch.equal(clip.audio, alone.audio)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_noise_video(tmp_path / "video.mp4", 12, fps=10.0)


@pytest.mark.parametrize("times_s", [[1.0, 2.0, 3.0, 4.5], [0.0, 11.9], [5.0], [0.5, 0.7, 0.9, 9.0]])
def test_a_file(video: Path, times_s: list[float]) -> None:
    require_equal(video, times_s)


def test_an_array_and_a_folder(video: Path, tmp_path: Path) -> None:
    with VideoReader(video) as reader:
        frames = np.stack([frame for _, frame in reader.play()])
        wave = reader.audio(0.0, 12.0, 16000)
    require_equal(ArrayVideo(frames, fps=10.0, waveform=wave, name="array"), [1.0, 2.0, 11.0])
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, rgb in enumerate(frames[:90], start=1):
        cv2.imwrite(str(folder / f"f_{number:04d}.png"), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    require_equal(folder, [0.5, 1.5, 2.5])


def test_a_detector_without_frames_gets_none(video: Path) -> None:
    ((image, clip),) = read_keyframes(video, [3.0], EXTRACTOR, short_side=SHORT_SIDE, needs_frames=False)
    assert image.size_px == (1, 1) and torch.equal(clip.frames, one_by_one(video, 3.0).frames)


def test_a_file_is_opened_as_often_for_many_keyframes_as_for_one(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    av_open = av.open

    def counted(path: str, **options: Any) -> Any:  # noqa: ANN401  (PyAV's own types)
        opened.append(path)
        return av_open(path, **options)

    monkeypatch.setattr(av, "open", counted)
    counts = []
    for times_s in ([1.0], [float(second) for second in range(1, 12)]):
        opened.clear()
        for _ in read_keyframes(video, times_s, EXTRACTOR, short_side=SHORT_SIDE, needs_frames=True):
            pass
        counts.append(len(opened))
    assert counts == [2, 2]  # one for frames, one for audio


def test_each_frame_is_decoded_once(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown_at = FrameDecoder.shown_at
    calls: list[int] = []

    def counted(self: FrameDecoder, ticks: Sequence[int]) -> Iterator[DecodedFrame]:
        calls.append(len(ticks))
        return shown_at(self, ticks)

    monkeypatch.setattr(FrameDecoder, "shown_at", counted)
    times_s = [2.0, 3.0, 4.0]
    list(read_keyframes(video, times_s, EXTRACTOR, short_side=SHORT_SIDE, needs_frames=True))
    assert sorted(calls) == [1, 3 * 9]  # the first frame for the video's facts; all others in one pass


def test_keyframes_before_an_error_are_yielded(video: Path) -> None:
    read = read_keyframes(video, [1.0, 2.0], EXTRACTOR, short_side=SHORT_SIDE, needs_frames=True)
    next(read)
    read.close()
    missing = video.with_name("missing.mp4")
    with pytest.raises(DecodeError, match="cannot be opened"):
        next(read_keyframes(missing, [1.0], EXTRACTOR, short_side=SHORT_SIDE, needs_frames=True))


def test_clips_of_a_file_and_of_an_opened_source_are_those_read_one_by_one(video: Path) -> None:
    times_s = [1.0, 1.5, 1.5, 9.0, 12.5]
    for time_s, clip in zip(times_s, read_clips(video, times_s, EXTRACTOR, short_side=SHORT_SIDE), strict=True):
        assert clip.time_s == time_s and torch.equal(clip.frames, one_by_one(video, time_s).frames)
    with VideoReader(video, short_side=SHORT_SIDE) as reader:
        opened = read_clips(reader, times_s, EXTRACTOR, short_side=SHORT_SIDE)
        for time_s, clip in zip(times_s, opened, strict=True):
            assert clip.video == "video" and torch.equal(clip.frames, one_by_one(video, time_s).frames)
