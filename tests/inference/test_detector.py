"""Files, lists, arrays and folders of frames in; one table out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from avdet.inference.detector import ActionDetector
from avdet.inference.predictions import PersonPredictions
from avdet.inference.stages import GivenPeople, Wishes
from avdet.media.array_video import ArrayVideo
from avdet.media.reader import VideoReader
from avdet.people.build_detector import build_trainable
from avdet.people.find_persons import find_persons
from avdet.settings import Config
from tests.inference.tiny_detector import save_tiny_detector, two_people, write_film
from tests.media.make_videos import write_broken_download

NUMBERS = ["timestamp", "x1", "y1", "x2", "y2", "action_id", "score", "person_id"]


@pytest.fixture
def detector(tiny_config: Config, tmp_path: Path) -> ActionDetector:
    checkpoint = save_tiny_detector(tmp_path / "actions.pt", tiny_config)
    people = build_trainable("torchvision", device="cpu", sample=True)
    return ActionDetector.from_checkpoint(checkpoint, device="cpu", people=people)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "film.mp4", 8, fps=10.0)


def test_a_table_of_several_videos_is_theirs_one_after_another(detector: ActionDetector, film: Path) -> None:
    other = film.with_name("other.mp4")
    other.write_bytes(film.read_bytes())
    boxes = pd.concat([two_people("film", [1.0, 2.5]), two_people("other", [3.0])])
    table = detector.detect([film, other], boxes)
    assert len(table) == (2 + 1) * 2 * len(detector.classes)
    assert table["video"].drop_duplicates().tolist() == ["film", "other"]
    assert set(table["action"]) == set(detector.classes.names)
    assert table.groupby("video")["person_id"].unique().map(set).tolist() == [{0, 1}, {0, 1}]
    pd.testing.assert_frame_equal(table[table["video"] == "film"], detector.detect(film, boxes))


def test_arrays_are_judged_as_their_file_is(detector: ActionDetector, film: Path) -> None:
    with VideoReader(film) as video:
        frames = np.stack([frame for _, frame in video.play()])
        sound = video.audio(0.0, 8.0, 16000)
    array = ArrayVideo(frames, fps=10.0, waveform=sound, sample_rate=16000, name="film")
    boxes = two_people("film", [0.5, 4.0])
    of_file, of_array = detector.detect(film, boxes), detector.detect(array, boxes)
    np.testing.assert_allclose(of_array[NUMBERS], of_file[NUMBERS], atol=2e-3)
    silent = detector.detect(ArrayVideo(frames, fps=10.0, name="film"), boxes)
    assert np.abs(silent["score"] - of_array["score"]).max() > 1e-4


def test_a_folder_of_frames_is_a_video(detector: ActionDetector, film: Path, tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    with VideoReader(film) as video:
        for number, rgb in enumerate(video.frames(np.arange(240) / 30 + 1 / 60), start=1):
            cv2.imwrite(str(folder / f"f_{number:04d}.png"), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    silent = write_film(tmp_path / "silent.mp4", 8, fps=10.0, sound=False)
    of_folder = detector.detect(folder, two_people("frames", [2.0]))
    of_file = detector.detect(silent, two_people("silent", [2.0]))
    np.testing.assert_allclose(of_folder[NUMBERS], of_file[NUMBERS], atol=1e-5)


def test_people_are_looked_for_where_no_boxes_are_given(detector: ActionDetector, film: Path) -> None:
    found = find_persons(film, detector.people, times_s=[2.0, 3.0, 4.0])
    least = float(found["score"].median())
    table = detector.detect(film, start_s=2.0, end_s=4.0, min_box_score=least)
    sure = found[found["score"] >= least]
    one = table[table["action_id"] == detector.classes.ids[0]]
    assert one["timestamp"].tolist() == sure["timestamp"].tolist()
    np.testing.assert_array_equal(one[["x1", "y2"]].to_numpy(), sure[["x1", "y2"]].to_numpy(np.float32))
    assert one["person_id"].tolist() == sure["person_id"].tolist()


def test_features_are_what_the_last_layer_saw(detector: ActionDetector, film: Path) -> None:
    table = detector.detect(film, two_people("film", [1.0, 2.0]), features=True)
    (linear,) = detector.model.head.classifier.linear.values()  # type: ignore[attr-defined]
    for _, rows in table.groupby(["timestamp", "person_id"]):
        logits = linear.weight.detach().numpy() @ rows["features"].iloc[0] + linear.bias.detach().numpy()
        assert (np.argsort(logits) == np.argsort(rows["score"].to_numpy())).all()


def test_the_table_does_not_depend_on_the_chunks_that_are_done(detector: ActionDetector, film: Path) -> None:
    plan = detector.plan(film, two_people("film", [1.0, 2.0, 3.0, 4.0, 5.0]), Wishes(min_box_score=0.0, chunk=2))
    whole = dict(detector.chunks(plan))
    assert sorted(whole) == [0, 1, 2]
    rest = dict(detector.chunks(plan, done={0}))
    assert sorted(rest) == [1, 2]
    again = PersonPredictions.concatenate([whole[0], rest[1], rest[2]])
    np.testing.assert_array_equal(again.scores, PersonPredictions.concatenate(list(whole.values())).scores)


def test_parts_of_a_video() -> None:
    video = ArrayVideo(np.zeros((100, 4, 4, 3), np.uint8), fps=10.0)
    assert Wishes(start_s=3.0, end_s=5.0).chunks(video, None) == [(3.0, 4.0, 5.0)]
    assert Wishes(start_s=8.5, chunk=1, rate=2.0).chunks(video, None) == [(8.5,), (9.0,), (9.5,)]
    assert Wishes(start_s=3.25, end_s=3.75).chunks(video, None) == [(3.5,)]
    with pytest.raises(ValueError, match=r"array lasts 10.0 s, so nothing of it is after 10 s"):
        Wishes(start_s=10.0).chunks(video, None)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"rate": 0.0}, "more than 0"),
        ({"rate": float("nan")}, "more than 0"),
        ({"start_s": 5.0, "end_s": 4.0}, "no part of a video"),
        ({"start_s": -1.0}, "no part of a video"),
        ({"chunk": 0}, "1 or more"),
    ],
)
def test_impossible_wishes(wrong: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Wishes(**wrong)  # type: ignore[arg-type]


def test_boxes_behind_the_pictures_of_a_broken_download_are_left_out(tmp_path: Path) -> None:
    broken = write_broken_download(tmp_path / "broken.mp4")
    boxes = two_people("broken", [1.0, 2.0, 3.0, 4.0, 5.0])
    assert Wishes().chunks(broken, GivenPeople(boxes, "broken")) == [(1.0, 2.0)]
    with pytest.raises(ValueError, match=r"have somebody at 9 s of .* which lasts 6\.0 s"):
        Wishes().chunks(broken, GivenPeople(two_people("broken", [1.0, 9.0]), "broken"))


def test_what_cannot_be_judged_is_said(detector: ActionDetector, film: Path) -> None:
    with pytest.raises(ValueError, match=r"film\.mp4, which lasts 8"):
        detector.detect(film, two_people("film", [9.0]))
    with pytest.raises(ValueError, match="name nobody in 'film'"):
        detector.detect(film, two_people("other", [1.0]))
    with pytest.raises(ValueError, match="give one or more"):
        detector.detect([])


def test_asking_for_the_package_alone_imports_no_torch() -> None:
    code = "import sys, avdet, avdet.cli.detect_actions; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_memory_stays_flat_over_twenty_minutes(detector: ActionDetector, tmp_path: Path) -> None:
    """Resident pages after a fifth of the film, and at most until its end."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("this system does not say so what a process holds")
    film = write_film(tmp_path / "long.mp4", 1200, fps=1.0)
    plan = detector.plan(film, two_people("long", list(np.arange(5.0, 1200.0, 20.0))), Wishes(min_box_score=0.0))
    held_mb = [int(statm.read_text().split()[1]) * 4096 / 1e6 for _ in detector.chunks(plan)]
    assert len(held_mb) == 8
    assert max(held_mb) - held_mb[1] < 8.0, held_mb
