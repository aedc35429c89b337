"""The output folder of detections, which keeps finished chunks and videos if the run is interrupted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

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
from avdet.inference.resume_folder import ResumeFolder, error_text, fingerprint, require_free_names
from avdet.inference.stages import InferenceSettings
from avdet.inference.video_names import VideoJob
from avdet.overlap import StageTimes
from avdet.resume_journal import ResumeJournal

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


@dataclass(frozen=True)
class FinishedVideo:
    """Counts of a video whose tables are written: scored persons, and keyframes with a scored person."""

    persons: int
    keyframes: int


class ResumableOutput(ResumeFolder):
    """The output folder of detections, whose tables lie in `parts` as CSVs or beside it as parquet files."""

    def finished(self, job: VideoJob, settings: OutputSettings, table_format: TableFormat) -> FinishedVideo | None:
        """The video's counts if an earlier run finished it with these settings and it has not changed since."""
        note = self.note(job)
        if note is None or not _has_form(note, settings, table_format):
            return None
        return FinishedVideo(note["persons"], note["keyframes"])

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
        self.write_note(job, {"output_settings": asdict(settings), "format": table_format, **asdict(finished)})
        return finished

    def finished_earlier(self, settings: OutputSettings) -> tuple[list[str], int]:
        """Names of the videos with CSVs of these settings, sorted, and the number of videos with other settings."""
        same, others = [], 0
        for name, note in self.notes():
            files = [table_file(self.folder, name, table, "csv") for table in TABLES]
            if note.get("format") != "csv" or not all(file.exists() for file in files):
                continue
            if _has_form(note, settings, "csv"):
                same.append(name)
            else:
                others += 1
        return same, others


def _has_form(note: Mapping[str, Any], settings: OutputSettings, table_format: TableFormat) -> bool:
    return [note.get("output_settings"), note.get("format")] == [asdict(settings), table_format]


def annotated_path(output: Path, job: VideoJob) -> Path:
    """Path of the annotated video."""
    return output / f"{job.name}.mp4"


def require_free(output: Path, jobs: Sequence[VideoJob], table_format: TableFormat) -> None:
    """Raises ValueError if a run would overwrite one of its inputs, or a file that no earlier run wrote."""
    annotated = {annotated_path(output, job).resolve() for job in jobs}
    if overwritten := next((job.path for job in jobs if job.path.resolve() in annotated), None):
        raise ValueError(f"--output {output} contains {overwritten}, which would be overwritten; give another --output")
    require_free_names(output, jobs, [*written_files(output, table_format), *sorted(annotated)])


def predict_video(
    detector: ActionDetector,
    job: VideoJob,
    boxes: pd.DataFrame | None,
    settings: InferenceSettings,
    output: ResumeFolder,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    times: StageTimes | None = None,
    *,
    features: bool = False,
) -> PersonPredictions:
    """Predicts the chunks that are not in the video's journal yet, and returns all of them, without linked ids.

    on_progress: called with the number of chunks done and their total. times: see `ActionDetector.chunks`.
    """
    plan = detector.plan(job.path, boxes, settings)
    journal = output.journal(job, fingerprint(plan.chunks))
    if 0 < len(journal.done) < len(plan.chunks):
        logger.info("%s: resuming after %d of %d chunks", job.path, len(journal.done), len(plan.chunks))
    for number, chunk in detector.chunks(plan, features=features, done=journal.done, times=times):
        journal.add(number, chunk.to_bytes())
        on_progress(len(journal.done), len(plan.chunks))
    return read_predictions(journal)


def read_predictions(journal: ResumeJournal) -> PersonPredictions:
    """All chunks of a journal that has one or more, in the order of their numbers."""
    return PersonPredictions.concatenate([PersonPredictions.from_bytes(content) for content in journal.contents()])
