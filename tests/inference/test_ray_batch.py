"""On a local Ray cluster, one of whose workers is killed in the middle, the tables are those of a plain run."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

import ava_eval
from avdet.cli import detect_actions
from avdet.settings import Config
from tests.inference.tiny_detector import save_tiny_detector, two_people, write_film

COLUMNS = ["video", "timestamp", "x1", "y1", "x2", "y2", "action_id", "score", "person_id"]


def descendants(pid: int) -> dict[int, str]:
    """Processes below this one, with what they call themselves."""
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


def kill_one_judge(parts: Path, killed: list[int]) -> None:
    """The worker of the last stage, once it has judged something."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and not killed:
        judges = [pid for pid, name in descendants(os.getpid()).items() if "MapWorker(MapBatches(Stage)" in name]
        if any(path.stat().st_size > 1000 for path in parts.glob("*.part")) and judges:
            os.kill(max(judges), signal.SIGKILL)
            killed.append(max(judges))
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_killed_worker_and_a_bad_video_change_nothing(
    tiny_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # a busy machine starves workers of 15, Ray's own choice
    checkpoint = save_tiny_detector(tmp_path / "actions.pt", tiny_config)
    videos = [write_film(tmp_path / f"film{number}.mp4", 40) for number in range(3)]
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    boxes = pd.concat(
        [two_people(name, [float(t) for t in range(1, 40)]) for name in ("film0", "film1", "film2", "bad")]
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
    plain, spread = tmp_path / "plain", tmp_path / "spread"
    assert detect_actions.main([*argv, "--no-video", "--output", str(plain)]) == 0

    killed: list[int] = []
    killer = threading.Thread(target=kill_one_judge, args=(spread / "parts", killed))
    killer.start()
    ray = ["--ray", "local", "--ray-workers", "1", "1", "2", "--object-store-memory", "100"]
    assert detect_actions.main([*argv, *ray, "--output", str(spread)]) == 0
    killer.join()
    assert killed

    expected = ava_eval.read_detections(plain / "detections.csv")
    found = pd.read_parquet(spread / "detections")
    keys = ["video", "timestamp", "x1", "action_id"]
    found, expected = (
        table.astype({"video": str}).sort_values(keys, ignore_index=True)[COLUMNS] for table in (found, expected)
    )
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-6)
    errors = pd.read_parquet(spread / "errors.parquet")
    assert errors["video"].tolist() == ["bad"] and "cannot be opened" in errors["error"][0]
