"""ActionDetector on files, lists, arrays and folders of frames."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from avdet.config import Config
from avdet.inference.detector import ActionDetector
from avdet.inference.keyframe_reader import keyframe_images
from avdet.inference.predictions import PersonPredictions
from avdet.inference.stages import InferenceSettings, Plan
from avdet.media.array_video import ArrayVideo
from avdet.media.media_file import DecodeError
from avdet.media.video_reader import VideoReader
from avdet.overlap import StageTimes
from avdet.people.build_detector import build_trainable_detector
from avdet.people.find_persons import find_persons
from tests.inference.tiny_detector import save_tiny_detector, two_persons, write_noise_video

NUMBERS = ["timestamp", "x1", "y1", "x2", "y2", "action_id", "score", "person_id"]


@pytest.fixture
def detector(tiny_config: Config, tmp_path: Path) -> ActionDetector:
    checkpoint = save_tiny_detector(tmp_path / "actions.pt", tiny_config)
    person_detector = build_trainable_detector("torchvision", device="cpu", sample=True)
    return ActionDetector.from_checkpoint(checkpoint, device="cpu", person_detector=person_detector)


@pytest.fixture
def video_path(tmp_path: Path) -> Path:
    return write_noise_video(tmp_path / "video.mp4", 8, fps=10.0)


def test_tables_of_several_videos_are_concatenated(detector: ActionDetector, video_path: Path) -> None:
    other = video_path.with_name("other.mp4")
    other.write_bytes(video_path.read_bytes())
    boxes = pd.concat([two_persons("video", [1.0, 2.5]), two_persons("other", [3.0])])
    table = detector.detect([video_path, other], boxes)
    assert len(table) == (2 + 1) * 2 * len(detector.classes)
    assert table["video"].drop_duplicates().tolist() == ["video", "other"]
    assert set(table["action"]) == set(detector.classes.names)
    assert table.groupby("video")["person_id"].unique().map(set).tolist() == [{0, 1}, {0, 1}]
    pd.testing.assert_frame_equal(table[table["video"] == "video"], detector.detect(video_path, boxes))


def test_an_array_gives_the_scores_of_its_file(detector: ActionDetector, video_path: Path) -> None:
    with VideoReader(video_path) as video:
        frames = np.stack([frame for _, frame in video.play()])
        waveform = video.audio(0.0, 8.0, 16000)
    array = ArrayVideo(frames, fps=10.0, waveform=waveform, sample_rate=16000, name="video")
    boxes = two_persons("video", [0.5, 4.0])
    of_file, of_array = detector.detect(video_path, boxes), detector.detect(array, boxes)
    np.testing.assert_allclose(of_array[NUMBERS], of_file[NUMBERS], atol=2e-3)
    without_audio = detector.detect(ArrayVideo(frames, fps=10.0, name="video"), boxes)
    assert np.abs(without_audio["score"] - of_array["score"]).max() > 1e-4


def test_a_folder_of_frames_is_a_video(detector: ActionDetector, video_path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    with VideoReader(video_path) as video:
        for number, rgb in enumerate(video.frames(np.arange(240) / 30 + 1 / 60), start=1):
            cv2.imwrite(str(folder / f"f_{number:04d}.png"), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    silent = write_noise_video(tmp_path / "silent.mp4", 8, fps=10.0, with_audio=False)
    of_folder = detector.detect(folder, two_persons("frames", [2.0]))
    of_file = detector.detect(silent, two_persons("silent", [2.0]))
    np.testing.assert_allclose(of_folder[NUMBERS], of_file[NUMBERS], atol=1e-5)


def test_persons_are_detected_without_boxes(detector: ActionDetector, video_path: Path) -> None:
    found = find_persons(video_path, detector.person_detector, times_s=[2.0, 3.0, 4.0])
    min_box_score = float(found["score"].median())
    table = detector.detect(video_path, start_s=2.0, end_s=4.0, min_box_score=min_box_score)
    kept = found[found["score"] >= min_box_score]
    of_one_class = table[table["action_id"] == detector.classes.ids[0]]
    assert of_one_class["timestamp"].tolist() == kept["timestamp"].tolist()
    np.testing.assert_array_equal(of_one_class[["x1", "y2"]].to_numpy(), kept[["x1", "y2"]].to_numpy(np.float32))
    assert of_one_class["person_id"].tolist() == kept["person_id"].tolist()


def test_features_are_the_input_of_the_last_layer(detector: ActionDetector, video_path: Path) -> None:
    table = detector.detect(video_path, two_persons("video", [1.0, 2.0]), features=True)
    (linear,) = detector.model.head.classifier.linear.values()  # type: ignore[attr-defined]
    for _, rows in table.groupby(["timestamp", "person_id"]):
        logits = linear.weight.detach().numpy() @ rows["features"].iloc[0] + linear.bias.detach().numpy()
        assert (np.argsort(logits) == np.argsort(rows["score"].to_numpy())).all()


def test_a_resumed_run_gives_equal_predictions(detector: ActionDetector, video_path: Path) -> None:
    boxes = two_persons("video", [1.0, 2.0, 3.0, 4.0, 5.0])
    plan = detector.plan(video_path, boxes, InferenceSettings(min_box_score=0.0, chunk_size=2))
    whole = dict(detector.chunks(plan))
    assert sorted(whole) == [0, 1, 2]
    rest = dict(detector.chunks(plan, done={0}))
    assert sorted(rest) == [1, 2]
    resumed = PersonPredictions.concatenate([whole[0], rest[1], rest[2]])
    np.testing.assert_array_equal(resumed.scores, PersonPredictions.concatenate(list(whole.values())).scores)


def serial(detector: ActionDetector, plan: Plan) -> Iterator[PersonPredictions]:
    """The predictions of each chunk, one stage after the other, as Ray computes them."""
    min_box_score = plan.settings.min_box_score
    for times_s in plan.chunks:
        persons = plan.person_detector(keyframe_images(plan.source, times_s))
        clips = detector.extract_clips(plan.source, times_s, persons, min_box_score)
        yield detector.score_persons(times_s, persons, clips, min_box_score)


@pytest.mark.parametrize("chunk_size", [1, 3])
def test_overlapped_stages_give_the_tables_of_serial_ones(
    detector: ActionDetector, video_path: Path, chunk_size: int
) -> None:
    plan = detector.plan(video_path, settings=InferenceSettings(min_box_score=0.3, chunk_size=chunk_size))
    times = StageTimes()
    chunks = [chunk for _, chunk in detector.chunks(plan, times=times)]
    assert sum(int(chunk.scored.sum()) for chunk in chunks) > 0
    for chunk, expected in zip(chunks, serial(detector, plan), strict=True):
        for column in vars(expected):
            np.testing.assert_array_equal(getattr(chunk, column), getattr(expected, column))
    assert set(times.busy_s) == {"decode", "persons", "actions"}


def test_an_error_in_mid_video_follows_the_chunks_before_it(
    detector: ActionDetector, video_path: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    with VideoReader(video_path) as video:
        for number, rgb in enumerate(video.frames(np.arange(240) / 30 + 1 / 60), start=1):
            cv2.imwrite(str(folder / f"f_{number:04d}.png"), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    (folder / "f_0151.png").write_bytes(b"damaged")
    plan = detector.plan(folder, settings=InferenceSettings(min_box_score=0.3, chunk_size=1))
    found: list[PersonPredictions] = []
    with pytest.raises(DecodeError) as of_serial:
        found.extend(serial(detector, plan))
    assert 1 < len(found) < len(plan.chunks)
    numbers: list[int] = []
    threads = threading.active_count()
    with pytest.raises(DecodeError) as of_overlapped:
        for number, chunk in detector.chunks(plan):
            np.testing.assert_array_equal(chunk.scores, found[number].scores)
            numbers.append(number)
    assert numbers == list(range(len(numbers))) and len(found) - 1 <= len(numbers) <= len(found)
    assert str(of_overlapped.value) == str(of_serial.value)
    assert threading.active_count() == threads


def test_invalid_inputs_are_explained(detector: ActionDetector, video_path: Path) -> None:
    with pytest.raises(ValueError, match=r"video\.mp4, which ends at 8"):
        detector.detect(video_path, two_persons("video", [9.0]))
    with pytest.raises(ValueError, match="no boxes of 'video'"):
        detector.detect(video_path, two_persons("other", [1.0]))
    with pytest.raises(ValueError, match="give one or more"):
        detector.detect([])


def test_memory_stays_flat_over_twenty_minutes(detector: ActionDetector, tmp_path: Path) -> None:
    """Compares the resident memory after the second of eight chunks with its maximum."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("this system has no /proc/self/statm")
    long_video = write_noise_video(tmp_path / "long.mp4", 1200, fps=1.0, silent=True)
    boxes = two_persons("long", list(np.arange(5.0, 1200.0, 20.0)))
    plan = detector.plan(long_video, boxes, InferenceSettings(min_box_score=0.0))
    held_mb = [int(statm.read_text().split()[1]) * 4096 / 1e6 for _ in detector.chunks(plan)]
    assert len(held_mb) == 8
    assert max(held_mb) - held_mb[1] < 8.0, held_mb
