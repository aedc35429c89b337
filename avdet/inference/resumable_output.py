"""The output folder of a run over many videos, which keeps finished chunks and videos if the run is interrupted."""

from __future__ import annotations

import errno
import json
import logging
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from avdet.atomic_write import atomic_write
from avdet.datasets.class_names import ClassNames
from avdet.inference.detector import ActionDetector
from avdet.inference.output_tables import (
    TABLES,
    OutputSettings,
    TableFormat,
    table_file,
    write_tables,
    written_files,
)
from avdet.inference.predictions import PersonPredictions
from avdet.inference.stages import InferenceSettings
from avdet.inference.video_names import VideoJob
from avdet.media.media_file import file_fingerprint
from avdet.overlap import StageTimes
from avdet.resume_journal import ResumeJournal, plain_settings, require_same_settings

__all__ = [
    "FinishedVideo",
    "ResumableOutput",
    "annotated_path",
    "error_text",
    "fingerprint",
    "predict_video",
    "read_predictions",
    "require_free",
]

logger = logging.getLogger(__name__)
_PARTS, _JOURNAL, _SETTINGS, _NOTE = "parts", ".part", "settings.json", ".finished.json"
_NOTE_KEYS = {"source", "output_settings", "format", "persons", "keyframes"}
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


@dataclass(frozen=True)
class FinishedVideo:
    """Counts of a video whose tables are written: scored persons, and keyframes with a scored person."""

    persons: int
    keyframes: int


class ResumableOutput:
    """An output folder. Its subfolder `parts` holds the settings and, per video, a journal, tables and a note."""

    def __init__(self, output: Path, settings: Mapping[str, object]) -> None:
        """Raises ValueError if the folder was begun with other settings."""
        self.output, self.folder = output, output / _PARTS
        path = self.folder / _SETTINGS
        settings = plain_settings(settings)
        if path.exists() and any(self.folder.glob(f"*{_JOURNAL}")):
            require_same_settings(output, self._read_settings(path), settings, remove=f"the files in {output}")
        with atomic_write(path) as partial:
            partial.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")

    def journal(self, job: VideoJob, plan: str) -> ResumeJournal:
        """Journal of a video's chunks. `plan`: their `fingerprint`."""
        return ResumeJournal(self._journal_path(job), {**file_fingerprint(job.path), "plan": plan})

    def has_begun(self, job: VideoJob) -> bool:
        """Whether the video has a journal."""
        return self._journal_path(job).exists()

    def finished(self, job: VideoJob, settings: OutputSettings, table_format: TableFormat) -> FinishedVideo | None:
        """The video's counts if an earlier run finished it with these settings and it has not changed since."""
        note = _read_note(self._note_path(job))
        if note is None or [note["output_settings"], note["format"]] != [asdict(settings), table_format]:
            return None
        with suppress(OSError):  # the video may have been removed
            if note["source"] == file_fingerprint(job.path):
                return FinishedVideo(note["persons"], note["keyframes"])
        return None

    def finish(
        self,
        job: VideoJob,
        predictions: PersonPredictions,
        classes: ClassNames,
        settings: OutputSettings,
        table_format: TableFormat,
    ) -> FinishedVideo:
        """Writes the tables of a video's linked and smoothed predictions, then notes that it is finished."""
        folder = self.output if table_format == "parquet" else self.folder
        write_tables(predictions, job.name, classes, folder, settings, table_format)
        scored = predictions.select(predictions.scored)
        finished = FinishedVideo(len(set(scored.person_ids.tolist())), len(set(scored.times_s.tolist())))
        note = {
            "source": file_fingerprint(job.path),
            "output_settings": asdict(settings),
            "format": table_format,
            **asdict(finished),
        }
        with atomic_write(self._note_path(job)) as partial:
            partial.write_text(json.dumps(note) + "\n", encoding="utf-8")
        return finished

    def finished_earlier(self, settings: OutputSettings) -> tuple[list[str], int]:
        """Names of the videos with CSVs of these settings, sorted, and the number of videos with other settings."""
        same, others = [], 0
        for path in sorted(self.folder.glob(f"*{_NOTE}")):
            name = path.name.removesuffix(_NOTE)
            note, files = _read_note(path), [table_file(self.folder, name, table, "csv") for table in TABLES]
            if note is None or note["format"] != "csv" or not all(file.exists() for file in files):
                continue
            if note["output_settings"] == asdict(settings):
                same.append(name)
            else:
                others += 1
        return same, others

    def _read_settings(self, path: Path) -> dict[str, object]:
        with suppress(ValueError):
            settings = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(settings, dict):
                return settings
        raise ValueError(
            f"{path} is damaged, so the settings with which {self.output} was begun are unknown; remove the files in "
            f"{self.output} to start again, or give another --output"
        )

    def _journal_path(self, job: VideoJob) -> Path:
        return self.folder / f"{job.name}{_JOURNAL}"

    def _note_path(self, job: VideoJob) -> Path:
        return self.folder / f"{job.name}{_NOTE}"


def annotated_path(output: Path, job: VideoJob) -> Path:
    """Path of the annotated video."""
    return output / f"{job.name}.mp4"


def require_free(output: Path, jobs: Sequence[VideoJob], table_format: TableFormat) -> None:
    """Raises ValueError if a run would overwrite one of its inputs, or a file that no earlier run wrote."""
    annotated = {annotated_path(output, job).resolve() for job in jobs}
    if overwritten := next((job.path for job in jobs if job.path.resolve() in annotated), None):
        raise ValueError(f"--output {output} contains {overwritten}, which would be overwritten; give another --output")
    paths = [*written_files(output, table_format), *sorted(annotated)]
    has_begun = (output / _PARTS / _SETTINGS).exists()
    if not has_begun and (existing := next((path for path in paths if path.exists()), None)):
        raise ValueError(f"{existing} exists and is not from this command; give another --output, or move the file")
    for job in jobs:
        note = _read_note(output / _PARTS / f"{job.name}{_NOTE}")
        other = job.path.resolve() if note is None else Path(note["source"]["path"])
        if other != job.path.resolve() and other.exists():
            raise ValueError(
                f"the tables in {output} use the name {job.name} for {other}, so they cannot use it for {job.path}; "
                "give another --output"
            )


def _read_note(path: Path) -> dict[str, Any] | None:
    """The note that `ResumableOutput.finish` wrote; None if it is missing or damaged."""
    with suppress(OSError, ValueError):
        note = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(note, dict) and note.keys() >= _NOTE_KEYS:
            return note
    return None


def predict_video(
    detector: ActionDetector,
    job: VideoJob,
    boxes: pd.DataFrame | None,
    settings: InferenceSettings,
    output: ResumableOutput,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    times: StageTimes | None = None,
) -> PersonPredictions:
    """Predicts the chunks that are not in the video's journal yet, and returns all of them, without linked ids.

    on_progress: called with the number of chunks done and their total. times: see `ActionDetector.chunks`.
    """
    plan = detector.plan(job.path, boxes, settings)
    journal = output.journal(job, fingerprint(plan.chunks))
    if 0 < len(journal.done) < len(plan.chunks):
        logger.info("%s: resuming after %d of %d chunks", job.path, len(journal.done), len(plan.chunks))
    for number, chunk in detector.chunks(plan, done=journal.done, times=times):
        journal.add(number, chunk.to_bytes())
        on_progress(len(journal.done), len(plan.chunks))
    return read_predictions(journal)


def read_predictions(journal: ResumeJournal) -> PersonPredictions:
    """All chunks of a journal that has one or more, in the order of their numbers."""
    return PersonPredictions.concatenate([PersonPredictions.from_bytes(content) for content in journal.contents()])


def fingerprint(chunks: Sequence[tuple[float, ...]]) -> str:
    """Text that is equal for the same times in the same chunks."""
    return f"{len(chunks)} chunks {zlib.crc32(repr(list(chunks)).encode()):08x}"


def error_text(error: Exception) -> str:
    """Why a video failed, on one line. Raises the error again if the disk is full or read-only: the run must stop."""
    if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
        raise error
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {text}"
