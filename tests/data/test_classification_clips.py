from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avdet.data.audio_negatives import MisalignedAudio
from avdet.data.augmentation import Augmentation
from avdet.data.classification_clips import (
    ClassificationTestClips,
    ClassificationTrainClips,
    ClipTask,
    ClipViews,
    center_range,
    clip_centers,
    collate_views,
    even_crops,
)
from avdet.data.clip_extractor import ClipExtractor
from avdet.data.sampler import SampleSpec
from avdet.datasets.segments import Intervals, Segments
from avdet.media.logmel import LogMel
from avdet.media.video_reader import VideoReader
from avdet.media.video_source import open_video
from tests.media.make_videos import faststart, numbered, numbers_of, truncated, write_video

PLAIN = Augmentation((48, 48), "uniform", 48, 0.0, 0.0, 0.0)
EXTRACTOR = ClipExtractor(span_frames=8, stride=2, nominal_fps=10.0, logmel=LogMel(num_frames=16, num_mels=16))  # 0.8 s


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Videos at 10 fps whose frames show their number: 5 s with noise, 5 s of square frames, 1 s without audio."""
    folder = tmp_path_factory.mktemp("videos")
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 5 * 16000).astype(np.float32)
    long = write_video(folder / "long.mp4", num_frames=50, fps=10, waveform=noise)
    square = write_video(folder / "square.mp4", num_frames=50, fps=10, frames=[numbered(k, 48, 48) for k in range(50)])
    return {"long": long, "square": square, "short": write_video(folder / "short.mp4", num_frames=10, fps=10)}


def segments(*rows: tuple[str, float, float], labels: dict[str, list[int]] | None = None) -> Segments:
    videos, start_s, end_s = (np.array(column) for column in zip(*rows, strict=True))
    ids = np.array([f"row {i}" for i in range(len(rows))], object)
    columns = {name: np.array(column) for name, column in (labels or {"action": [3] * len(rows)}).items()}
    return Segments(ids, videos.astype(object), start_s, end_s, columns)


def numbers(frames: torch.Tensor) -> list[int]:
    return numbers_of(frames.permute(1, 2, 3, 0).numpy())


def train_set(
    files: dict[str, Path], task: ClipTask = "classification", rows: Segments | None = None
) -> ClassificationTrainClips:
    return ClassificationTrainClips(rows or segments(("square", 1.0, 3.0)), files, EXTRACTOR, PLAIN, task=task)


def test_clip_centers_by_hand() -> None:
    assert clip_centers(0.0, 10.0, 2.0, 3).tolist() == [1.0, 5.0, 9.0]
    assert clip_centers(2.0, 10.0, 2.0, 1).tolist() == [6.0]
    assert clip_centers(4.0, 5.0, 2.0, 3).tolist() == [4.5, 4.5, 4.5]  # shorter than a clip: the middle


@given(st.floats(0, 100), st.floats(0.01, 50), st.floats(0.1, 5), st.integers(1, 12))
def test_clips_are_inside_their_segment(start_s: float, length_s: float, span_s: float, count: int) -> None:
    centers = clip_centers(start_s, start_s + length_s, span_s, count)
    assert len(centers) == count and (np.diff(centers) >= 0).all()
    low_s, high_s = center_range(start_s, start_s + length_s, span_s)
    assert ((centers >= low_s - 1e-9) & (centers <= high_s + 1e-9)).all()
    if length_s > span_s + 1e-6:
        assert centers[0] - span_s / 2 >= start_s - 1e-9 and centers[-1] + span_s / 2 <= start_s + length_s + 1e-9


def test_even_crops_by_hand() -> None:
    assert [(c.left, c.top, c.size) for c in even_crops(6, 10, 3)] == [(0, 0, 6), (2, 0, 6), (4, 0, 6)]
    assert [(c.left, c.top) for c in even_crops(10, 6, 3)] == [(0, 0), (0, 2), (0, 4)]
    assert [(c.left, c.top, c.size) for c in even_crops(6, 10, 1)] == [(2, 0, 6)]


def test_training_clips_are_inside_their_segment_at_random_times(files: dict[str, Path]) -> None:
    clips = [train_set(files)[SampleSpec(0, seed)] for seed in range(12)]
    frame_numbers = [numbers(clip.frames) for clip in clips]
    assert all(min(n) >= 10 and max(n) < 30 and np.diff(n).tolist() == [2, 2, 2] for n in frame_numbers)
    assert len({n[0] for n in frame_numbers}) > 3
    assert all(clip.labels["action"] == 3 and clip.video == "row 0" for clip in clips)


def test_audio_has_the_span_of_the_frames(files: dict[str, Path]) -> None:
    clip = train_set(files, rows=segments(("long", 1.0, 3.0)))[SampleSpec(0, 5)]
    with VideoReader(files["long"]) as video:
        expected = EXTRACTOR.audio(video, clip.time_s)
    assert clip.audio is not None and expected is not None and torch.equal(clip.audio, expected)
    silent = train_set(files, rows=segments(("short", 0.0, np.inf)))[SampleSpec(0, 5)]
    assert silent.audio is None


def test_a_sample_spec_determines_the_clip(files: dict[str, Path]) -> None:
    one, same, other = (train_set(files)[SampleSpec(0, seed)] for seed in (1, 1, 2))
    assert torch.equal(one.frames, same.frames) and not torch.equal(one.frames, other.frames)


def test_rotated_clips_are_labelled_by_their_quarter_turns(files: dict[str, Path]) -> None:
    for seed in range(8):
        clip = train_set(files, "rotation")[SampleSpec(0, seed)]
        assert set(clip.labels) == {"rotation"}
        back = torch.rot90(clip.frames, -int(clip.labels["rotation"]), (2, 3))
        assert all(np.diff(numbers(back)) == 2)
    rotations = {int(train_set(files, "rotation")[SampleSpec(0, seed)].labels["rotation"]) for seed in range(40)}
    assert rotations == {0, 1, 2, 3}
    assert train_set(files, "none")[SampleSpec(0, 0)].labels == {}


def test_audio_negatives_do_not_change_the_frames(files: dict[str, Path]) -> None:
    misaligned = MisalignedAudio([files["long"]], EXTRACTOR)
    rows = segments(("long", 0.0, 5.0))
    dataset = ClassificationTrainClips(rows, files, EXTRACTOR, PLAIN, misaligned=misaligned)
    clip = dataset[SampleSpec(0, 3, hard_negative=True)]
    without_negative = ClassificationTrainClips(rows, files, EXTRACTOR, PLAIN)[SampleSpec(0, 3)]
    assert torch.equal(clip.frames, without_negative.frames)
    assert clip.negative_audio is not None and clip.audio is not None
    assert not torch.equal(clip.negative_audio, clip.audio)
    assert dataset[SampleSpec(0, 3, hard_negative=False)].negative_audio is None  # an easy one needs another video


def test_labels_are_those_whose_intervals_overlap_the_clip(files: dict[str, Path]) -> None:
    intervals = Intervals(np.array([0, 1]), np.array([1]), np.array([0.0]), np.array([2.0]))
    rows = segments(("long", 0.0, np.inf), labels={"action": [[0, 1]]})  # type: ignore[list-item]
    rows = Segments(rows.ids, rows.videos, rows.start_s, rows.end_s, rows.labels, intervals)
    for seed in range(12):
        clip = ClassificationTrainClips(rows, files, EXTRACTOR, PLAIN)[SampleSpec(0, seed)]
        assert clip.labels["action"].tolist() == [0, int(clip.time_s - 0.4 < 2.0)]


def test_test_clips_are_evenly_spaced_and_their_crops_share_the_audio(files: dict[str, Path]) -> None:
    views = ClassificationTestClips(
        segments(("long", 1.0, 3.0)), files, EXTRACTOR, short_side=48, num_clips=2, num_crops=3
    )
    first, last = views[0], views[1]
    assert isinstance(first, ClipViews) and isinstance(last, ClipViews) and len(views) == 2
    assert [clip.frames.shape for clip in first.crops] == [(3, 4, 48, 48)] * 3
    left, middle, right = (clip.frames for clip in first.crops)
    assert torch.equal(left[..., 8:], middle[..., :40]) and torch.equal(middle[..., 8:], right[..., :40])
    assert all(clip.audio is first.crops[0].audio for clip in first.crops)
    assert (first.crops[0].time_s, last.crops[0].time_s) == (1.4, 2.6)
    batch = collate_views([first, last])
    assert batch.segments == (0,) * 6 and len(batch.batch) == 6 and not batch.missing_s


def test_missing_seconds_of_a_video_that_ends_before_its_label(files: dict[str, Path]) -> None:
    rows = segments(("short", 0.0, 4.0), ("short", 0.5, 1.2))
    views = [
        ClassificationTestClips(rows, files, EXTRACTOR, short_side=48, num_clips=1, num_crops=1)[i] for i in range(2)
    ]  # fmt: skip
    assert collate_views(views).missing_s == {0: pytest.approx(3.0)}


def test_missing_seconds_of_a_truncated_video(tmp_path: Path) -> None:
    """Its index announces 4 s at 25 fps."""
    cut = truncated(faststart(tmp_path / "whole.mp4"), tmp_path / "cut.mp4", 0.6)
    with open_video(cut) as video:
        assert video.info.duration_s == 4.0
        last_s = float(video.frame_batch([3.9]).times_s[0])
    rows = segments(("cut", 0.0, np.inf), ("cut", 3.0, 4.0), ("cut", 0.0, 1.0))
    dataset = ClassificationTestClips(rows, {"cut": cut}, EXTRACTOR, short_side=48, num_clips=2, num_crops=1)
    short = collate_views([dataset[i] for i in range(6)]).missing_s
    assert short == {0: pytest.approx(4.0 - last_s), 1: pytest.approx(4.0 - last_s)} and last_s < 3.0


def test_a_label_after_the_end_of_its_video_is_refused(files: dict[str, Path]) -> None:
    views = ClassificationTestClips(
        segments(("short", 7.0, 9.0)), files, EXTRACTOR, short_side=48, num_clips=1, num_crops=1
    )
    with pytest.raises(
        ValueError, match=r"short\.mp4 cannot be read at 7\.00 s: row 0 starts there, but the video lasts 1\.0 s"
    ):
        collate_views([views[0]])
