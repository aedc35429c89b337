"""FramesDir: each image shows the number in its file name."""

from __future__ import annotations

import shutil
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from avdet.media.frames_dir import FramesDir, is_frames_dir
from avdet.media.video_reader import DecodeError, VideoReader
from avdet.media.video_source import OpenOptions, duration_of, open_video
from tests.media.make_videos import numbered, numbers_of, write_frames, write_video

RATE = 16000


def _wav(path: Path, waveform: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray((waveform * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, 0
        container.mux(stream.encode(frame))


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_frame_k_appears_at_k_minus_one_thirtieths(tmp_path: Path, suffix: str) -> None:
    with open_video(write_frames(tmp_path / "video", list(range(1, 61)), suffix=suffix)) as video:
        batch = video.frame_batch([0.0, 1.0, 1.0333, 0.5, -1.0, 1.99, 2.0, 50.0])
    assert numbers_of(batch.rgb) == [1, 31, 32, 16, 1, 60, 60, 60]
    assert batch.times_s == pytest.approx([0, 1, 31 / 30, 0.5, 0, 59 / 30, 59 / 30, 59 / 30])
    assert batch.past_end.tolist() == [False] * 6 + [True] * 2


def test_frame_stays_if_numbers_are_missing(tmp_path: Path) -> None:
    with FramesDir(write_frames(tmp_path / "video", [4, 5, 20])) as video:
        assert numbers_of(video.frames([0.0, 4 / 30, 18.9 / 30, 19 / 30])) == [4, 5, 5, 20]
        assert video.info.start_s == pytest.approx(0.1) and video.info.duration_s == pytest.approx(20 / 30)
        assert [round(time_s * 30) for time_s, _ in video.play(0.2)] == [4, 19]


def test_clip_equals_that_of_the_source_video(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    waveform = (0.3 * rng.standard_normal(2 * RATE)).clip(-1, 1).astype(np.float32)
    path = write_video(tmp_path / "video.mkv", num_frames=60, fps=30, waveform=waveform, audio_codec="flac")
    folder = write_frames(tmp_path / "video", [])
    with VideoReader(path) as video:
        for number, (_, frame) in enumerate(video.play(), 1):
            cv2.imwrite(str(folder / f"video_{number:06d}.png"), frame[..., ::-1])
    _wav(tmp_path / "video.wav", waveform)
    times = np.random.default_rng(1).uniform(-0.2, 2.2, 20)
    with open_video(folder) as frames_dir, open_video(path) as video:
        assert isinstance(frames_dir, FramesDir) and isinstance(video, VideoReader)
        np.testing.assert_array_equal(frames_dir.frames(times), video.frames(times))
        np.testing.assert_allclose(frames_dir.audio(0.3, 1.0, RATE), video.audio(0.3, 1.0, RATE), atol=1e-3)
        assert frames_dir.info.audio_rate == RATE and frames_dir.info.duration_s == pytest.approx(2.0)


def test_short_side_is_exact_and_colours_are_rgb(tmp_path: Path) -> None:
    folder = tmp_path / "red"
    folder.mkdir()
    cv2.imwrite(str(folder / "img1.png"), np.full((30, 40, 3), (0, 0, 255), np.uint8))
    for short_side, size in ((15, (15, 20)), (60, (60, 80))):
        with FramesDir(folder, short_side=short_side) as video:
            frame = video.frames([0.0])[0]
            assert (video.info.width, video.info.height) == (40, 30)
        assert frame.shape == (*size, 3) and (frame == (255, 0, 0)).all()


def test_images_of_other_sizes_are_scaled_to_the_first(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "video", [1])
    cv2.imwrite(str(folder / "video_000002.jpg"), numbered(2, 128, 96))
    with FramesDir(folder) as video:
        frames = video.frames([0.0, 0.05])
    assert frames.shape == (2, 48, 64, 3) and numbers_of(frames) == [1, 2]


def test_names_without_leading_zeros_are_sorted_by_number(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    for number in (1, 2, 10, 11):
        cv2.imwrite(str(folder / f"{number}.jpg"), numbered(number))
    with FramesDir(folder, fps=10.0) as video:
        assert numbers_of(video.frames([0.0, 0.1, 0.9, 1.0])) == [1, 2, 10, 11]


def test_missing_and_unreadable_files_raise(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DecodeError, match="cannot be opened: it holds no numbered image, such as empty_000001"):
        FramesDir(empty)
    with pytest.raises(DecodeError, match="No such folder"):
        FramesDir(tmp_path / "missing")
    with pytest.raises(ValueError, match="short_side is 0"):
        FramesDir(empty, short_side=0)
    folder = write_frames(tmp_path / "video", [1, 2, 3])
    (folder / "video_000002.jpg").write_bytes(b"")
    with FramesDir(folder) as video:
        assert not video.info.has_audio
        with pytest.raises(DecodeError, match=r"video_000002.jpg cannot be read at 0.03 s: it is not an image"):
            video.frames([0.05])
        with pytest.raises(DecodeError, match=r"it has no audio file; put video.wav beside it"):
            video.audio(0.0, 1.0, RATE)


def test_two_series_in_one_folder_are_rejected(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "video", [1, 2])
    shutil.copy(folder / "video_000001.jpg", folder / "other_7.jpg")
    with pytest.raises(DecodeError, match=r"other_7.jpg is not named like video_000001.jpg"):
        FramesDir(folder)


def test_is_frames_dir(tmp_path: Path) -> None:
    assert is_frames_dir(write_frames(tmp_path / "video", [1]))
    assert not is_frames_dir(tmp_path) and not is_frames_dir(tmp_path / "video" / "video_000001.jpg")


def test_frames_of_another_rate(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "video", list(range(1, 61)))
    with open_video(folder, options=OpenOptions(frames_fps=25.0)) as video:
        assert video.info.duration_s == pytest.approx(2.4) and video.info.fps == 25.0
        assert numbers_of(video.frames([1.0, 2.36])) == [26, 60]
    assert duration_of(folder, frames_fps=50.0) == pytest.approx(1.2)
