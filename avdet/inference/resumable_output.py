"""Very many videos: what is done stays done, and a video that cannot be read does not stop the others."""

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
from avdet.datasets.keyframes import ClassNames
from avdet.inference.detector import ActionDetector
from avdet.inference.output_tables import (
    TABLES,
    Form,
    OutputSettings,
    table_file,
    write_tables,
    written_files,
)
from avdet.inference.predictions import PersonPredictions
from avdet.inference.resume_journal import ResumeJournal
from avdet.inference.stages import Wishes
from avdet.inference.video_names import VideoJob
from avdet.media.media_file import file_fingerprint

__all__ = ["Finished", "ResumableOutput", "annotated_path", "fingerprint", "predict_video", "reason_of", "require_free"]

logger = logging.getLogger(__name__)
_PARTS, _SETTINGS, _FINISHED = "parts", "settings.json", ".finished.json"
_NOTED = {"source", "showing", "form", "people", "times"}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


@dataclass(frozen=True)
class Finished:
    """A video whose tables are written: its people, and at how many times somebody was judged."""

    people: int
    times: int


class ResumableOutput:
    """The folder `parts` of an output: what is known of each video, and with which settings it was found out."""

    def __init__(self, output: Path, settings: Mapping[str, object]) -> None:
        """Raises ValueError where other settings than these have begun to fill it."""
        self.output, self.folder = output, output / _PARTS
        path = self.folder / _SETTINGS
        now = json.loads(json.dumps(settings, default=str))
        has_begun = path.exists() and any(self.folder.glob("*.part"))
        begun = self._begun(path) if has_begun else now
        changed = sorted(key for key in {*begun, *now} if begun.get(key) != now.get(key))
        if changed:
            raise ValueError(
                f"{output} was begun with other settings ({', '.join(changed)}); give the same ones to go on, another "
                f"--output, or remove what is in {output} to start anew"
            )
        with atomic_write(path) as partial:
            partial.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")

    def parts(self, job: VideoJob, plan: str) -> ResumeJournal:
        """`plan`: a `fingerprint` of the chunks."""
        return ResumeJournal(self.folder / f"{job.name}.part", {**file_fingerprint(job.path), "plan": plan})

    def has_begun(self, job: VideoJob) -> bool:
        return (self.folder / f"{job.name}.part").exists()

    def finished(self, job: VideoJob, showing: OutputSettings, form: Form) -> Finished | None:
        """Of an earlier run with the same `showing`, unless the video has changed since."""
        note = _read_note(self._note(job))
        if note is None or [note["showing"], note["form"]] != [asdict(showing), form]:
            return None
        with suppress(OSError):  # the video may be gone
            if note["source"] == file_fingerprint(job.path):
                return Finished(note["people"], note["times"])
        return None

    def finish(
        self, job: VideoJob, people: PersonPredictions, classes: ClassNames, showing: OutputSettings, form: Form
    ) -> Finished:
        """Writes the tables of a video whose `people` are all known, linked and smoothed; then that they are there."""
        write_tables(people, job.name, classes, self.output if form == "parquet" else self.folder, showing, form)
        judged = people.select(people.judged)
        done = Finished(len(set(judged.person_ids.tolist())), len(set(judged.times_s.tolist())))
        about = {"source": file_fingerprint(job.path), "showing": asdict(showing), "form": form}
        note = {**about, "people": done.people, "times": done.times}
        with atomic_write(self._note(job)) as partial:
            partial.write_text(json.dumps(note) + "\n", encoding="utf-8")
        return done

    def earlier(self, showing: OutputSettings) -> tuple[list[str], int]:
        """The videos whose CSVs lie here with this `showing`, sorted by name; and how many lie here with another."""
        alike, others = [], 0
        for path in sorted(self.folder.glob(f"*{_FINISHED}")):
            name = path.name.removesuffix(_FINISHED)
            note, files = _read_note(path), [table_file(self.folder, name, table, "csv") for table in TABLES]
            if note is None or note["form"] != "csv" or not all(file.exists() for file in files):
                continue
            if note["showing"] == asdict(showing):
                alike.append(name)
            else:
                others += 1
        return alike, others

    def _begun(self, path: Path) -> dict[str, object]:
        with suppress(ValueError):
            settings = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(settings, dict):
                return settings
        raise ValueError(
            f"{path} is damaged, so it is not known with which settings {self.output} was begun; remove "
            f"what is in {self.output} to start anew, or give another --output"
        )

    def _note(self, job: VideoJob) -> Path:
        return self.folder / f"{job.name}{_FINISHED}"


def annotated_path(output: Path, job: VideoJob) -> Path:
    """The annotated video."""
    return output / f"{job.name}.mp4"


def require_free(output: Path, jobs: Sequence[VideoJob], form: Form) -> None:
    """Raises ValueError where a file that is not of a run of ours would be written over, or removed as its old film."""
    films = {annotated_path(output, job).resolve() for job in jobs}
    if here := next((job.path for job in jobs if job.path.resolve() in films), None):
        raise ValueError(f"--output {output} is where {here} lies, which would be written over; give another one")
    names = [*written_files(output, form), *sorted(films)]
    has_begun = (output / _PARTS / _SETTINGS).exists()
    if not has_begun and (there := next((path for path in names if path.exists()), None)):
        raise ValueError(f"{there} is there, and not of this command; give another --output, or move it away")
    for job in jobs:
        note = _read_note(output / _PARTS / f"{job.name}{_FINISHED}")
        other = job.path.resolve() if note is None else Path(note["source"]["path"])
        if other != job.path.resolve() and other.exists():
            raise ValueError(
                f"{output} holds {other}, which its tables call {job.name} as they would call {job.path}; give another "
                "--output"
            )


def _read_note(path: Path) -> dict[str, Any] | None:
    """What `ResumableOutput.finish` wrote of a video; None where it did not, or somebody damaged it."""
    with suppress(OSError, ValueError):
        note = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(note, dict) and note.keys() >= _NOTED:
            return note
    return None


def predict_video(
    detector: ActionDetector,
    job: VideoJob,
    boxes: pd.DataFrame | None,
    wishes: Wishes,
    workplace: ResumableOutput,
    on_chunk: Callable[[int, int], None] = lambda done, total: None,
) -> PersonPredictions:
    """Goes on behind the last chunk of an earlier run. `on_chunk` hears how many are done, of how many."""
    plan = detector.plan(job.path, boxes, wishes)
    parts = workplace.parts(job, fingerprint(plan.chunks))
    if 0 < len(parts.done) < len(plan.chunks):
        logger.info("%s: goes on with %d of %d chunks done", job.path, len(parts.done), len(plan.chunks))
    for number, chunk in detector.chunks(plan, name=job.name, done=parts.done):
        parts.add(number, chunk)
        on_chunk(len(parts.done), len(plan.chunks))
    return parts.read()


def fingerprint(chunks: Sequence[tuple[float, ...]]) -> str:
    """The same for the same times in the same chunks."""
    return f"{len(chunks)} chunks {zlib.crc32(repr(list(chunks)).encode()):08x}"


def reason_of(error: Exception) -> str:
    """Why a video is left out, on one line. What is no video's fault is raised again: a full disk stops the run."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        raise error
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {text}"
