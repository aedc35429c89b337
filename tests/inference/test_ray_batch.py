"""The stages without a cluster, and a run on a local Ray cluster, give the results of a run without Ray."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ava_eval
from avdet.cli import detect_actions
from avdet.config import Config
from avdet.detection_table import COLUMNS
from avdet.inference.detector import ActionDetector
from avdet.inference.predictions import PersonPredictions
from avdet.inference.ray_batch import Stage, Step, Work, decode, detect_persons, extract, plan, require_ray, score
from avdet.inference.stages import InferenceSettings
from avdet.inference.video_names import VideoJob
from avdet.people.build_detector import build_trainable_detector
from avdet.people.person_detector import PersonDetector
from tests.inference.tiny_detector import save_tiny_detector, two_persons, write_noise_video


@pytest.fixture
def checkpoint(tiny_config: Config, tmp_path: Path) -> Path:
    return save_tiny_detector(tmp_path / "actions.pt", tiny_config)


def run_stages(
    job: VideoJob, checkpoint: Path, person_detector: PersonDetector, settings: InferenceSettings
) -> list[Work]:
    min_box_score = settings.min_box_score
    builds: list[Callable[[], Step]] = [
        decode,
        partial(detect_persons, lambda: person_detector),
        partial(extract, checkpoint, min_box_score, 40),
        partial(score, checkpoint, min_box_score),
    ]
    rows = {"work": [row["work"] for row in plan(settings, Work(job, value=(None, frozenset())).row())]}
    for build in builds:
        rows = Stage(build)(rows)
    return [pickle.loads(row) for row in rows["work"]]


def test_stages_equal_a_run_without_ray(checkpoint: Path, tmp_path: Path) -> None:
    person_detector = build_trainable_detector("torchvision", device="cpu", sample=True)
    video = write_noise_video(tmp_path / "video.mp4", 7)
    settings = InferenceSettings(min_box_score=0.2, chunk_size=2)
    detector = ActionDetector.from_checkpoint(checkpoint, device="cpu", person_detector=person_detector)
    detector.short_side = 40
    expected = dict(detector.chunks(detector.plan(video, None, settings)))
    done = run_stages(VideoJob(video, "video"), checkpoint, person_detector, settings)
    assert [(work.number, work.count, work.error) for work in done] == [(n, 3, None) for n in range(3)]
    for work in done:
        found = PersonPredictions.from_bytes(work.value)
        assert len(found)
        np.testing.assert_array_equal(found.boxes, expected[work.number].boxes)
        np.testing.assert_allclose(found.scores, expected[work.number].scores, atol=1e-6)


def test_a_missing_video_is_an_error_that_all_stages_pass_on(checkpoint: Path, tmp_path: Path) -> None:
    person_detector = build_trainable_detector("torchvision", device="cpu", sample=True)
    job = VideoJob(tmp_path / "absent.mp4", "absent")
    (work,) = run_stages(job, checkpoint, person_detector, InferenceSettings())
    assert work.value is None and work.error is not None and "absent.mp4" in work.error


def test_missing_ray_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(ValueError, match=r'pip install "avdet\[ray\]"'):
        require_ray()


def descendants(pid: int) -> dict[int, str]:
    """Child processes of this one, at any depth, with their command lines."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
            names[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    below = {pid}
    while grown := {child for child, parent in parents.items() if parent in below} - below:
        below |= grown
    return {child: names[child] for child in below - {pid}}


def kill_a_scoring_worker(parts: Path, killed: list[int]) -> None:
    """Kills a worker of the last stage once it has scored a chunk."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and not killed:
        workers = [pid for pid, name in descendants(os.getpid()).items() if "MapWorker(MapBatches(Stage)" in name]
        if any(path.stat().st_size > 1000 for path in parts.glob("*.part")) and workers:
            os.kill(max(workers), signal.SIGKILL)
            killed.append(max(workers))
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own warnings
def test_a_killed_worker_and_a_bad_video_do_not_change_the_tables(
    tiny_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # with Ray's default of 15, other programs starve the workers
    checkpoint = save_tiny_detector(tmp_path / "actions.pt", tiny_config)
    videos = [write_noise_video(tmp_path / f"video{number}.mp4", 40) for number in range(3)]
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"not a video")
    boxes = pd.concat(
        [two_persons(name, [float(t) for t in range(1, 40)]) for name in ("video0", "video1", "video2", "bad")]
    )
    boxes.to_csv(tmp_path / "boxes.csv", index=False, header=False)
    (tmp_path / "list.txt").write_text("\n".join(map(str, [*videos, bad])))
    argv = [
        "--input",
        str(tmp_path / "list.txt"),
        "--checkpoint",
        str(checkpoint),
        "--boxes",
        str(tmp_path / "boxes.csv"),
    ]
    plain, distributed = tmp_path / "plain", tmp_path / "distributed"
    assert detect_actions.main([*argv, "--no-video", "--output", str(plain)]) == 0

    killed: list[int] = []
    killer = threading.Thread(target=kill_a_scoring_worker, args=(distributed / "parts", killed))
    killer.start()
    ray = ["--ray", "local", "--ray-workers", "1", "1", "2", "--object-store-memory", "100"]
    assert detect_actions.main([*argv, *ray, "--output", str(distributed)]) == 0
    killer.join()
    assert killed

    expected = ava_eval.read_detections(plain / "detections.csv")
    found = pd.read_parquet(distributed / "detections")
    keys = ["video", "timestamp", "x1", "action_id"]
    found, expected = (
        table.astype({"video": str}).sort_values(keys, ignore_index=True)[COLUMNS] for table in (found, expected)
    )
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-6)
    errors = pd.read_parquet(distributed / "errors.parquet")
    assert errors["video"].tolist() == ["bad"] and "cannot be opened" in errors["error"][0]
