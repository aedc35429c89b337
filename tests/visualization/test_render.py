from __future__ import annotations

import logging
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from avdet.media.reader import VideoReader
from avdet.models.explain import ExplainedPerson, Explanation
from avdet.visualization.render import Rendering, render
from tests.media.make_videos import number_of, write_video
from tests.shared import SHARED, needs_shared
from tests.visualization.test_person_timeline import LEFT, RIGHT, detections


def _noise(num_samples: int) -> NDArray[np.float32]:
    return np.random.default_rng(5).uniform(-0.5, 0.5, num_samples).astype(np.float32)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """2 s of 360 x 480 grey below numbers, 25 fps, with noise as sound."""
    frames = [np.full((360, 480, 3), 100, np.uint8) for _ in range(50)]
    return write_video(tmp_path / "clip.mp4", frames=frames, num_frames=50, waveform=_noise(32000))


def _sound(path: Path) -> NDArray[np.float32]:
    with VideoReader(path) as video:
        return video.audio(0.0, 2.0, 16000)


def test_boxes_are_drawn_at_their_times_and_the_sound_is_in_time(clip: Path, tmp_path: Path) -> None:
    table = detections((0.5, LEFT, 1, 0.9, 0), (1.5, RIGHT, 1, 0.9, 0))
    rendering = render(clip, table, tmp_path / "out" / "a.mp4", label_map={1: "sit"})
    assert rendering == Rendering(frames=50, boxes=50, nothing_drawn=None)
    with VideoReader(tmp_path / "out" / "a.mp4") as video:
        frames = video.frames([0.02, 0.9, 1.1, 1.9])
        assert (video.info.width, video.info.height, video.info.audio_rate) == (480, 360, 16000)
    at_left = frames[:, 200, round(0.1 * 479)].astype(int)
    at_right = frames[:, 200, round(0.9 * 479)].astype(int)
    orange = (255, 176, 32)
    assert (np.abs(at_left[:2] - orange).max() < 60) and (np.abs(at_right[2:] - orange).max() < 60)
    assert (np.abs(at_left[2:] - 100).max() < 20) and (np.abs(at_right[:2] - 100).max() < 20)
    before, after = _sound(clip), _sound(tmp_path / "out" / "a.mp4")
    products = [float(before[200:-200] @ np.roll(after, lag)[200:-200]) for lag in range(-160, 161)]
    assert abs(int(np.argmax(products)) - 160) <= 1


def test_the_file_is_one_that_every_player_plays(clip: Path, tmp_path: Path) -> None:
    render(clip, detections((0.5, LEFT, 1, 0.9, 0)), tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"


def test_every_frame_keeps_its_time_at_variable_rate(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.2, 0.24, 1.0, 1.5]
    movie = write_video(tmp_path / "clip.mkv", times_s=times)
    render(movie, detections((0.0, LEFT, 1, 0.1, 0)), tmp_path / "a.mp4")
    with VideoReader(tmp_path / "a.mp4") as video:
        played = list(video.play())
    assert [t for t, _ in played] == pytest.approx(times, abs=1e-3)
    assert played[0][1].shape == (360, 480, 3)  # 64 x 48 is enlarged
    assert [number_of(frame) for _, frame in played] == list(range(6))


def test_silence_about_a_time_is_explained(clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        rendering = render(clip, detections((0.5, LEFT, 1, 0.27, 0)), tmp_path / "a.mp4")
    assert rendering == Rendering(frames=50, boxes=0, nothing_drawn="nothing is drawn: no score over 0.3; highest 0.27")
    assert "highest 0.27" in caplog.text


def test_a_clip_cut_out_of_a_movie_under_another_name(clip: Path, tmp_path: Path) -> None:
    table = detections((902.0, LEFT, 1, 0.9, 0), (903.0, LEFT, 1, 0.9, 0)).assign(video="movie")
    assert render(clip, table, tmp_path / "a.mp4", name="movie", time_origin_s=901.5).boxes == 50
    with pytest.raises(ValueError, match="have no row for 'clip', only for movie"):
        render(clip, table, tmp_path / "a.mp4")


def test_progress_is_told(clip: Path, tmp_path: Path) -> None:
    told: list[tuple[float, float]] = []
    render(clip, detections((0.5, LEFT, 1, 0.9, 0)), tmp_path / "a.mp4", on_frame=lambda *at: told.append(at))
    assert len(told) == 50 and told[-1] == pytest.approx((1.96, 2.0), abs=0.1)


def test_an_empty_table_gives_the_plain_video(clip: Path, tmp_path: Path) -> None:
    rendering = render(clip, detections(), tmp_path / "a.mp4")
    assert rendering.nothing_drawn == "nothing is drawn: there are no detections for this video"


@needs_shared
@pytest.mark.parametrize(
    "name", ["deeplip_demo.mp4", "tvhi_handShake_0001.avi", "acam_avaseg_0902.mp4", "ava_9Y_l9NsnYE0_01323.mp4"]
)
def test_real_clips_keep_their_sound_in_time(tmp_path: Path, name: str) -> None:
    path = SHARED / "data" / "clips" / "with_audio" / name
    table = detections((0.5, LEFT, 1, 0.9, 0)).assign(video=path.stem)
    render(path, table, tmp_path / "a.mp4")
    with VideoReader(path) as before, VideoReader(tmp_path / "a.mp4") as after:
        duration_s = before.info.duration_s
        one, two = before.audio(0, duration_s, 16000), after.audio(0, duration_s, 16000)
        shown = [[t for t, _ in video.play()] for video in (before, after)]
    spectrum = np.fft.rfft(one, 2 * len(one)).conj() * np.fft.rfft(two, 2 * len(two))
    lag = int(np.fft.fftshift(np.fft.irfft(spectrum)).argmax()) - len(one)
    assert abs(lag) <= 8  # half a millisecond
    assert shown[0][1:] == pytest.approx(shown[1][1:], abs=1e-3)


def test_a_strip_of_sound_is_added_below_the_picture(clip: Path, tmp_path: Path) -> None:
    table = detections((0.5, LEFT, 1, 0.9, 0))
    render(clip, table, tmp_path / "plain.mp4")
    render(clip, table, tmp_path / "strip.mp4", spectrogram=True)
    with VideoReader(tmp_path / "plain.mp4") as plain, VideoReader(tmp_path / "strip.mp4") as strip:
        before, after = plain.frames([0.5])[0], strip.frames([0.5])[0]
    assert before.shape == (360, 480, 3) and after.shape == (412, 480, 3)  # 360 / 7 is 51.4
    assert np.abs(before.astype(int) - after[:360]).mean() < 2
    row = after[380].astype(int).min(axis=-1)
    assert abs(int(row.argmax()) - 0.24 * 479) <= 3 and row.max() > 200  # that frame appeared at 0.48 of 2 s


def test_without_sound_there_is_no_strip(tmp_path: Path) -> None:
    movie = write_video(tmp_path / "clip.mp4", num_frames=5)
    render(movie, detections((0.1, LEFT, 1, 0.9, 0)), tmp_path / "a.mp4", spectrogram=True)
    with VideoReader(tmp_path / "a.mp4") as video:
        assert video.info.height == 360


def test_explanations_colour_the_box_and_add_a_strip(clip: Path, tmp_path: Path) -> None:
    heat = np.ones((4, 3, 3), np.float32)
    person = ExplainedPerson(LEFT, 0, 1, 1.0, 0.0, heat, np.ones((6, 5), np.float32))
    explanation = Explanation(0.0, 1.0, (person,), np.zeros((20, 10), np.float32))
    asked: list[float] = []

    def explain(time_s: float) -> Explanation:
        asked.append(time_s)
        return explanation

    table = detections((0.5, LEFT, 1, 0.9, 0))
    render(clip, table, tmp_path / "a.mp4", spectrogram=True, explain=explain)
    with VideoReader(tmp_path / "a.mp4") as video:
        (frame,) = video.frames([0.5])
    assert frame.shape == (462, 480, 3) and set(asked) == {0.5}  # 2 / 7 of 360 are 102.9
    red, _, blue = (int(value) for value in frame[200, round(0.25 * 479)])
    assert red > 150 and blue < 90
    assert frame[440, 300, 1] > 120  # light on what is heard


def test_both_scores_are_drawn(clip: Path, tmp_path: Path) -> None:
    table = detections((0.5, LEFT, 1, 0.9, 0))
    render(clip, table, tmp_path / "a.mp4", without_sound=table.assign(score=0.2))
    with VideoReader(tmp_path / "a.mp4") as video:
        legend = video.frames([0.5])[0][345:, 350:]
    assert (legend > 200).any()
