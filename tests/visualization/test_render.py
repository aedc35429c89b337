from __future__ import annotations

import logging
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from avdet.media.video_reader import VideoReader
from avdet.models.class_activation import ExplainedPerson, Explanation
from avdet.visualization.audio_gain import add_scores_without_audio
from avdet.visualization.person_timeline import Overlay, detected_persons
from avdet.visualization.render import DrawSettings, RenderResult, render
from tests.media.make_videos import number_of, write_video
from tests.shared import SHARED, needs_shared
from tests.visualization.tables import LEFT, RIGHT, Box, detections


def overlay(*rows: tuple[float, Box, int, float, int]) -> Overlay:
    return Overlay(detected_persons(detections(*rows), {1: "sit"}))


ONE_PERSON = overlay((0.5, LEFT, 1, 0.9, 0))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """2 s of grey frames of 360 x 480, numbered, at 25 fps, with noise as audio."""
    frames = [np.full((360, 480, 3), 100, np.uint8) for _ in range(50)]
    noise = np.random.default_rng(5).uniform(-0.5, 0.5, 32000).astype(np.float32)
    return write_video(tmp_path / "clip.mp4", frames=frames, num_frames=50, waveform=noise)


def _audio(path: Path) -> NDArray[np.float32]:
    with VideoReader(path) as video:
        return video.audio(0.0, 2.0, 16000)


def test_boxes_and_audio_are_written_at_their_times(clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out" / "a.mp4"
    result = render(clip, output, overlay((0.5, LEFT, 1, 0.9, 0), (1.5, RIGHT, 1, 0.9, 0)))
    assert result == RenderResult(frames=50, boxes=50, nothing_drawn=None)
    with VideoReader(output) as video:
        frames = video.frames([0.02, 0.45, 1.55, 1.9])
        assert (video.info.width, video.info.height, video.info.audio_rate) == (480, 360, 16000)
    at_left = frames[:, 200, round(0.1 * 479)].astype(int)
    at_right = frames[:, 200, round(0.9 * 479)].astype(int)
    orange = (255, 176, 32)
    assert (np.abs(at_left[:2] - orange).max() < 60) and (np.abs(at_right[2:] - orange).max() < 60)
    assert (np.abs(at_left[2:] - 100).max() < 20) and (np.abs(at_right[:2] - 100).max() < 20)
    before, after = _audio(clip), _audio(output)
    correlation = [float(before[200:-200] @ np.roll(after, lag)[200:-200]) for lag in range(-160, 161)]
    assert abs(int(np.argmax(correlation)) - 160) <= 1


def test_the_codecs_are_h264_and_aac(clip: Path, tmp_path: Path) -> None:
    render(clip, tmp_path / "a.mp4", ONE_PERSON)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"


def test_frames_keep_their_times_at_a_variable_rate(tmp_path: Path) -> None:
    times_s = [0.0, 0.04, 0.2, 0.24, 1.0, 1.5]
    video_path = write_video(tmp_path / "clip.mkv", times_s=times_s)
    render(video_path, tmp_path / "a.mp4", overlay((0.0, LEFT, 1, 0.1, 0)))
    with VideoReader(tmp_path / "a.mp4") as video:
        played = list(video.play())
    assert [time_s for time_s, _ in played] == pytest.approx(times_s, abs=1e-3)
    assert played[0][1].shape == (360, 480, 3)  # 64 x 48 is enlarged
    assert [number_of(frame) for _, frame in played] == list(range(6))


def test_the_reason_why_nothing_is_drawn_is_logged(
    clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        result = render(clip, tmp_path / "a.mp4", overlay((0.5, LEFT, 1, 0.27, 0)))
    reason = "no action is drawn: no score reaches 0.3; the highest is 0.27"
    assert result == RenderResult(frames=50, boxes=26, nothing_drawn=reason)  # until 1 s
    assert reason in caplog.text


def test_the_clock_shows_the_time_of_the_longer_video(clip: Path, tmp_path: Path) -> None:
    clocks = []
    for offset_s in (0.0, 901.5):
        render(clip, tmp_path / "a.mp4", Overlay(ONE_PERSON.detections, timestamp_offset_s=offset_s))
        with VideoReader(tmp_path / "a.mp4") as video:
            clocks.append(video.frames([0.5])[0][345:, :60].astype(int))
    assert np.abs(clocks[0] - clocks[1]).max() > 50


def test_a_part_is_written_with_its_audio_and_the_time_of_the_whole(clip: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.mp4", tmp_path / "part.mp4"
    render(clip, whole, ONE_PERSON)
    result = render(clip, part, ONE_PERSON, DrawSettings(start_s=0.4, end_s=1.2))
    assert (result.frames, result.boxes) == (20, 16)  # the box is shown until 1 s
    with VideoReader(whole) as before, VideoReader(part) as after:
        assert after.info.duration_s == pytest.approx(0.8, abs=0.05)
        one, two = before.frames([0.42, 1.15]).astype(int), after.frames([0.02, 0.75]).astype(int)
        assert np.abs(one - two).mean() < 2 and np.abs(one[:, 345:, :60] - two[:, 345:, :60]).max() < 80  # the clock
        sound, part_sound = before.audio(0.5, 0.5, 16000), after.audio(0.1, 0.5, 16000)
    assert np.corrcoef(sound, part_sound)[0, 1] > 0.9
    with pytest.raises(ValueError, match=r"lasts 2.0 s and has no part from 3 to 2 s"):
        render(clip, part, ONE_PERSON, DrawSettings(start_s=3.0))


def test_progress_is_reported(clip: Path, tmp_path: Path) -> None:
    progress: list[tuple[float, float]] = []
    render(clip, tmp_path / "a.mp4", ONE_PERSON, on_frame=lambda *times: progress.append(times))
    assert len(progress) == 50 and progress[-1] == pytest.approx((1.96, 2.0), abs=0.1)


def test_without_detections_the_video_is_written_as_it_is(clip: Path, tmp_path: Path) -> None:
    result = render(clip, tmp_path / "a.mp4", overlay())
    assert result.nothing_drawn == "nothing is drawn: there are no detections for this video"


@needs_shared
@pytest.mark.parametrize(
    "name", ["deeplip_demo.mp4", "tvhi_handShake_0001.avi", "acam_avaseg_0902.mp4", "ava_9Y_l9NsnYE0_01323.mp4"]
)
def test_real_clips_keep_their_audio_in_time(tmp_path: Path, name: str) -> None:
    path = SHARED / "data" / "clips" / "with_audio" / name
    render(path, tmp_path / "a.mp4", ONE_PERSON)
    with VideoReader(path) as before, VideoReader(tmp_path / "a.mp4") as after:
        duration_s = before.info.duration_s
        one, two = before.audio(0, duration_s, 16000), after.audio(0, duration_s, 16000)
        shown = [[time_s for time_s, _ in video.play()] for video in (before, after)]
    spectrum = np.fft.rfft(one, 2 * len(one)).conj() * np.fft.rfft(two, 2 * len(two))
    lag = int(np.fft.fftshift(np.fft.irfft(spectrum)).argmax()) - len(one)
    assert abs(lag) <= 8  # half a millisecond
    assert shown[0][1:] == pytest.approx(shown[1][1:], abs=1e-3)


def test_a_spectrogram_is_added_below_the_frames(clip: Path, tmp_path: Path) -> None:
    render(clip, tmp_path / "plain.mp4", ONE_PERSON)
    render(clip, tmp_path / "bar.mp4", ONE_PERSON, DrawSettings(spectrogram=True))
    with VideoReader(tmp_path / "plain.mp4") as plain, VideoReader(tmp_path / "bar.mp4") as with_bar:
        before, after = plain.frames([0.5])[0], with_bar.frames([0.5])[0]
    assert before.shape == (360, 480, 3) and after.shape == (412, 480, 3)  # 360 / 7 is 51.4
    assert np.abs(before.astype(int) - after[:360]).mean() < 2
    row = after[380].astype(int).min(axis=-1)
    assert abs(int(row.argmax()) - 0.24 * 479) <= 3 and row.max() > 200  # the frame at 0.48 of 2 s


def test_a_video_without_audio_has_no_spectrogram(tmp_path: Path) -> None:
    video_path = write_video(tmp_path / "clip.mp4", num_frames=5)
    render(video_path, tmp_path / "a.mp4", overlay((0.1, LEFT, 1, 0.9, 0)), DrawSettings(spectrogram=True))
    with VideoReader(tmp_path / "a.mp4") as video:
        assert video.info.height == 360


def test_attention_colours_the_box_and_has_a_bar(clip: Path, tmp_path: Path) -> None:
    attention_map = np.ones((4, 3, 3), np.float32)
    person = ExplainedPerson(LEFT, 0, 1, 1.0, 0.0, attention_map, np.ones((6, 5), np.float32))
    explanation = Explanation(0.0, 1.0, (person,), np.zeros((20, 10), np.float32))
    keyframes: list[float] = []

    def explain(time_s: float) -> Explanation:
        keyframes.append(time_s)
        return explanation

    render(clip, tmp_path / "a.mp4", ONE_PERSON, DrawSettings(spectrogram=True), explain=explain)
    with VideoReader(tmp_path / "a.mp4") as video:
        (frame,) = video.frames([0.5])
    assert frame.shape == (462, 480, 3) and set(keyframes) == {0.5}  # 2 / 7 of 360 are 102.9
    red, _, blue = (int(value) for value in frame[200, round(0.25 * 479)])
    assert red > 150 and blue < 90
    assert frame[440, 300, 1] > 120  # the audio attention is highlighted


def test_scores_with_and_without_audio_are_drawn(clip: Path, tmp_path: Path) -> None:
    table = detections((0.5, LEFT, 1, 0.9, 0))
    compared = add_scores_without_audio(table, table.assign(score=0.2))
    render(clip, tmp_path / "a.mp4", Overlay(detected_persons(compared)))
    with VideoReader(tmp_path / "a.mp4") as video:
        legend = video.frames([0.5])[0][345:, 350:]
    assert (legend > 200).any()
