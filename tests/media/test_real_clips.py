"""Every real clip gives frames and audio, or one DecodeError with the right reason."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from avdet.media.audio_track import AudioTrack
from avdet.media.media_file import MediaFile
from avdet.media.video_reader import DecodeError, VideoReader
from tests.shared import SHARED, needs_shared

pytestmark = needs_shared

CLIPS = SHARED / "data" / "clips"
ALL = sorted(path for path in CLIPS.glob("*/*") if path.is_file())
UNREADABLE = {"phpff_WrongFile.mp4": "Invalid data", "streamio_empty.flv": "Invalid data"}
# Its middle is missing, so decoded frames depend on where decoding began.
DAMAGED = {"mp4parse_no_timescale.mp4"}
VIDEOS = [path for path in ALL if path.parent.name != "audio_only" and path.name not in UNREADABLE]


def _id(path: Path) -> str:
    return path.name


def test_all_clips_exist() -> None:
    assert len(ALL) == 64 and len(VIDEOS) == 56


@pytest.mark.parametrize("path", VIDEOS, ids=_id)
def test_seeking_equals_playing(path: Path) -> None:
    with VideoReader(path, short_side=48) as video:
        played = dict(video.play())
        times = np.array(list(played))
        assert (np.diff(times) > 0).all() and times[0] == pytest.approx(video.info.start_s, abs=0.09)
        requested = np.random.default_rng(1).uniform(-0.2, video.info.duration_s + 0.3, 12)
        batch = video.frame_batch(requested)
    for time_s, frame, appeared_s, past_end in zip(requested, batch.rgb, batch.times_s, batch.past_end, strict=True):
        shown_s = times[max(int((times <= time_s + 0.001).sum()) - 1, 0)]
        assert appeared_s == shown_s
        assert path.name in DAMAGED or (frame == played[shown_s]).all()
        assert not past_end or time_s > times[-1]


@pytest.mark.parametrize("path", [p for p in VIDEOS if p.parent.name == "with_audio"], ids=_id)
def test_audio_exists_and_is_finite(path: Path) -> None:
    with VideoReader(path) as video:
        assert video.info.has_audio
        waveform = video.audio(0.0, video.info.duration_s, 16000)
    assert len(waveform) == round(video.info.duration_s * 16000)
    assert np.isfinite(waveform).all() and 1e-4 < np.sqrt((waveform**2).mean()) < 0.5


@pytest.mark.parametrize("path", [p for p in ALL if p.parent.name == "audio_only"], ids=_id)
def test_audio_file_is_not_a_video_but_has_audio(path: Path) -> None:
    with pytest.raises(DecodeError, match="cannot be opened: it has no video stream"):
        VideoReader(path)
    with MediaFile(path) as file:
        assert np.abs(AudioTrack(file).read(0.2, 0.4, 16000)).max() > 1e-3


@pytest.mark.parametrize(("name", "reason"), UNREADABLE.items())
def test_unreadable_files_raise(name: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=f"{name} cannot be opened: {reason}"):
        VideoReader(CLIPS / "edge" / name)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("streamio_sideways_movie.mov", (480, 640)),
        ("decord_video_180.mov", (568, 320)),
        ("decord_video_90.mov", (320, 568)),
        ("rails_rotated_hdr_video.mov", (1080, 1920)),
        ("photoprism_quicktime-hvc1.mov", (720, 1280)),
        ("rails_video_with_rectangular_samples.mp4", (1920, 1080)),
        ("openshot_test1.mp4", (660, 480)),
    ],
)
def test_sizes_are_as_in_players(name: str, size: tuple[int, int]) -> None:
    with VideoReader(CLIPS / "edge" / name) as video:
        assert (video.info.width, video.info.height) == size
        assert video.frames([0.0]).shape == (1, size[1], size[0], 3)


@pytest.mark.parametrize(("name", "clockwise"), [("decord_video_90.mov", 1), ("decord_video_180.mov", 2)])
def test_frames_are_rotated_as_in_players(name: str, clockwise: int) -> None:
    """With this rotation the letters on the keyboard in the video are upright."""
    with av.open(str(CLIPS / "edge" / name)) as container:
        stored = next(container.decode(container.streams.video[0])).to_ndarray(format="rgb24")
    with VideoReader(CLIPS / "edge" / name) as video:
        np.testing.assert_array_equal(video.frames([0.0])[0], np.rot90(stored, -clockwise))


@pytest.mark.parametrize(
    ("name", "start_s"),
    [
        ("with_audio/retalk_1.mp4", 0.033),
        ("with_audio/vllama_applausing.mp4", 0.0667),
        ("edge/rails_video.mp4", 0.2267),
        ("edge/androidx_sample_h264_mpeg_audio.ts", 0.0),
        ("edge/androidx_bbb_800x640_768kbps_30fps_avc_2b_firstpts_10_sec.mp4", 0.0),
    ],
)
def test_time_zero_is_where_players_start(name: str, start_s: float) -> None:
    with VideoReader(CLIPS / name) as video:
        assert video.info.start_s == pytest.approx(start_s, abs=1e-3)
        assert next(video.play())[0] == pytest.approx(start_s, abs=1e-3)


def test_clip_at_two_rates_is_the_same_clip() -> None:
    """30 fps / 44.1 kHz and its copy at 25 fps / 16 kHz: the same frames and audio at the same seconds."""
    paths = [CLIPS / "with_audio" / f"vggs_ZYc410CE4Rg_{kind}.mp4" for kind in ("orig", "25fps_16k")]
    frames, waveforms = [], []
    for path in paths:
        with VideoReader(path, short_side=64) as video:
            frames.append(video.frames(np.arange(1.0, 9.0, 0.5))[:, :64, :84].astype(int))
            waveforms.append(video.audio(2.0, 4.0, 16000))
    assert np.abs(frames[0] - frames[1]).mean() < 8
    spectrum = np.fft.rfft(waveforms[0], 2**17).conj() * np.fft.rfft(waveforms[1], 2**17)
    lag = int(np.fft.fftshift(np.fft.irfft(spectrum)).argmax()) - 2**16
    assert abs(lag) / 16000 < 1 / 30
