from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest

from avdet.inference.output_tables import OutputSettings
from avdet.inference.resumable_output import (
    FinishedVideo,
    ResumableOutput,
    error_text,
    fingerprint,
    read_predictions,
    require_free,
)
from avdet.inference.video_names import VideoJob
from tests.inference.test_predictions import CLASSES, predictions

SETTINGS = {"start": 0.0, "checkpoint": Path("a.pt")}


@pytest.fixture
def job(tmp_path: Path) -> VideoJob:
    (tmp_path / "a.mp4").write_bytes(b"video")
    return VideoJob(tmp_path / "a.mp4", "a")


def test_chunks_survive_in_the_journal(tmp_path: Path, job: VideoJob) -> None:
    output = ResumableOutput(tmp_path / "out", SETTINGS)
    assert not output.has_begun(job)
    journal = output.journal(job, fingerprint([(1.0,), (2.0,)]))
    journal.add(1, predictions().select(slice(2, 3)).to_bytes())
    journal.add(0, predictions().select(slice(0, 2)).to_bytes())
    assert output.has_begun(job)
    again = ResumableOutput(tmp_path / "out", SETTINGS).journal(job, fingerprint([(1.0,), (2.0,)]))
    np.testing.assert_array_equal(read_predictions(again).scores, predictions().scores)
    assert not output.journal(job, fingerprint([(1.0, 2.0)])).done
    with pytest.raises(ValueError, match=r"out was begun with other settings \(start\); use the same"):
        ResumableOutput(tmp_path / "out", {**SETTINGS, "start": 1.0})


def test_a_finished_video_is_known_until_it_or_the_settings_change(tmp_path: Path, job: VideoJob) -> None:
    output, settings = ResumableOutput(tmp_path / "out", SETTINGS), OutputSettings()
    finished = output.finish(job, predictions().linked(), CLASSES, settings, "csv")
    assert finished == FinishedVideo(persons=1, keyframes=2)
    assert output.finished(job, settings, "csv") == finished
    assert output.finished(job, settings, "parquet") is None
    assert output.finished(job, OutputSettings(min_score=0.5), "csv") is None
    assert output.finished_earlier(settings) == (["a"], 0)
    assert output.finished_earlier(OutputSettings(smooth_window_s=2.0)) == ([], 1)
    job.path.write_bytes(b"another video")
    assert output.finished(job, settings, "csv") is None
    note = tmp_path / "out/parts/a.finished.json"
    note.write_text(json.dumps({"source": 1}))
    assert output.finished_earlier(settings) == ([], 0)


def test_nothing_of_the_users_is_overwritten(tmp_path: Path, job: VideoJob) -> None:
    with pytest.raises(ValueError, match=r"contains .*a.mp4, which would be overwritten"):
        require_free(tmp_path, [job], "csv")
    (tmp_path / "out").mkdir()
    require_free(tmp_path / "out", [job], "csv")
    (tmp_path / "out/boxes.csv").write_text("")
    with pytest.raises(ValueError, match=r"boxes.csv exists and is not from this command"):
        require_free(tmp_path / "out", [job], "csv")
    ResumableOutput(tmp_path / "out", SETTINGS).finish(job, predictions().linked(), CLASSES, OutputSettings(), "csv")
    require_free(tmp_path / "out", [job], "csv")
    with pytest.raises(ValueError, match=r"use the name a for .*a.mp4, so they cannot use it for other/a.mp4"):
        require_free(tmp_path / "out", [VideoJob(Path("other/a.mp4"), "a")], "csv")


def test_a_full_disk_is_not_a_videos_error() -> None:
    assert error_text(ValueError("two\nlines")) == "two lines"
    assert error_text(KeyError("x")) == "KeyError: 'x'"
    with pytest.raises(OSError, match="full"):
        error_text(OSError(errno.ENOSPC, "full"))


def test_a_video_that_is_replaced_while_it_is_read_is_not_finished(tmp_path: Path, job: VideoJob) -> None:
    output = ResumableOutput(tmp_path / "out", SETTINGS)
    output.journal(job, fingerprint([(1.0,)]))
    job.path.write_bytes(b"another video")
    with pytest.raises(ValueError, match=r"a\.mp4 changed while it was read; run the same command again"):
        output.write_note(job, {})
    assert output.note(job) is None
    output.journal(job, fingerprint([(1.0,)]))
    output.write_note(job, {"vectors": 3})
    note = output.note(job)
    assert note is not None and note["vectors"] == 3
