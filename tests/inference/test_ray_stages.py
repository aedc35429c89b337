"""The stages one after another, without a cluster, give what a plain run gives; errors pass through them."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from avdet.inference.detector import ActionDetector
from avdet.inference.predictions import PersonPredictions
from avdet.inference.ray_batch import require_ray
from avdet.inference.ray_stages import Stage, Step, Work, cutting, decoding, finding, judging, plan
from avdet.inference.stages import Wishes
from avdet.inference.video_names import VideoJob
from avdet.people.build_detector import build_trainable
from avdet.people.person_detector import PersonDetector
from avdet.settings import Config
from tests.inference.tiny_detector import save_tiny_detector, write_film


@pytest.fixture
def checkpoint(tiny_config: Config, tmp_path: Path) -> Path:
    return save_tiny_detector(tmp_path / "actions.pt", tiny_config)


def through_all(job: VideoJob, checkpoint: Path, people: PersonDetector, wishes: Wishes) -> list[Work]:
    least = wishes.min_box_score
    builds: list[Callable[[], Step]] = [
        decoding,
        partial(finding, lambda: people),
        partial(cutting, checkpoint, least),
        partial(judging, checkpoint, least),
    ]
    rows = {"work": [row["work"] for row in plan(wishes, Work(job, value=(None, frozenset())).row())]}
    for build in builds:
        rows = Stage(build)(rows)
    return [pickle.loads(row) for row in rows["work"]]


def test_stages_give_what_a_plain_run_gives(checkpoint: Path, tmp_path: Path) -> None:
    people = build_trainable("torchvision", device="cpu", sample=True)
    film, wishes = write_film(tmp_path / "film.mp4", 7), Wishes(min_box_score=0.2, chunk=2)
    detector = ActionDetector.from_checkpoint(checkpoint, device="cpu", people=people)
    expected = dict(detector.chunks(detector.plan(film, None, wishes)))
    done = through_all(VideoJob(film, "film"), checkpoint, people, wishes)
    assert [(work.number, work.count, work.error) for work in done] == [(n, 3, None) for n in range(3)]
    for work in done:
        found = PersonPredictions.from_bytes(work.value)
        assert len(found)
        np.testing.assert_array_equal(found.boxes, expected[work.number].boxes)
        np.testing.assert_allclose(found.scores, expected[work.number].scores, atol=1e-6)


def test_a_bad_video_is_an_error_that_nobody_works_on(checkpoint: Path, tmp_path: Path) -> None:
    people = build_trainable("torchvision", device="cpu", sample=True)
    (work,) = through_all(VideoJob(tmp_path / "absent.mp4", "absent"), checkpoint, people, Wishes())
    assert work.value is None and work.error is not None and "absent.mp4" in work.error


def test_without_ray_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(ValueError, match=r'pip install "avdet\[ray\]"'):
        require_ray()
