"""The folder from which a run over many videos resumes: its settings and, per video, a journal and a note."""

from __future__ import annotations

import errno
import json
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from avdet.atomic_write import atomic_write
from avdet.inference.video_names import VideoJob
from avdet.media.media_file import file_fingerprint
from avdet.resume_journal import (
    ResumeJournal,
    arrays_from_bytes,
    arrays_to_bytes,
    plain_settings,
    require_same_settings,
)

__all__ = ["ResumeFolder", "error_text", "fingerprint", "require_free_names"]

logger = logging.getLogger(__name__)
PARTS, _JOURNAL, _SETTINGS, _NOTE, _RESULT = "parts", ".part", "settings.json", ".finished.json", ".npz"
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class ResumeFolder:
    """The subfolder `parts` of an output folder. A video with a note is finished."""

    def __init__(self, output: Path, settings: Mapping[str, object]) -> None:
        """Raises ValueError if the folder was begun with other settings."""
        self.output, self.folder = output, output / PARTS
        self._begun: dict[VideoJob, dict[str, object]] = {}  # fingerprints of the videos as they are read
        path = self.folder / _SETTINGS
        settings = plain_settings(settings)
        if path.exists() and any(self.folder.glob(f"*{_JOURNAL}")):
            require_same_settings(output, self._read_settings(path), settings, remove=f"the files in {output}")
        with atomic_write(path) as partial:
            partial.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")

    def journal(self, job: VideoJob, plan: str) -> ResumeJournal:
        """Journal of a video's chunks. `plan`: their `fingerprint`."""
        self._begun[job] = file_fingerprint(job.path)
        return ResumeJournal(self._journal_path(job), {**self._begun[job], "plan": plan})

    def has_begun(self, job: VideoJob) -> bool:
        """Whether the video has a journal."""
        return self._journal_path(job).exists()

    def complete(
        self,
        job: VideoJob,
        plan: Sequence[tuple[float, ...]],
        predict: Callable[[frozenset[int]], Iterable[tuple[int, Mapping[str, NDArray[Any]]]]],
        on_progress: Callable[[int, int], None],
    ) -> Iterator[dict[str, NDArray[Any]]]:
        """The arrays of all chunks of a video, in order; `predict` yields those that are not done.

        plan: the times of each chunk. on_progress: called with the number of chunks done and their total.
        """
        journal = self.journal(job, fingerprint(plan))
        if 0 < len(journal.done) < len(plan):
            logger.info("%s: resuming after %d of %d chunks", job.path, len(journal.done), len(plan))
        for number, arrays in predict(journal.done):
            journal.add(number, arrays_to_bytes(arrays))
            on_progress(len(journal.done), len(plan))
        return (arrays_from_bytes(content) for content in journal.contents())

    def result_file(self, name: str) -> Path:
        """The file of a video's result, for tools whose tables join the results of all videos."""
        return self.folder / f"{name}{_RESULT}"

    def write_result(self, job: VideoJob, content: bytes, counts: Mapping[str, object]) -> None:
        """Writes a video's result, then notes that it is finished."""
        with atomic_write(self.result_file(job.name)) as partial:
            partial.write_bytes(content)
        self.write_note(job, counts)

    def note(self, job: VideoJob) -> dict[str, Any] | None:
        """What `write_note` wrote about a video that has not changed since; else None."""
        note = read_note(self.output, job.name)
        with suppress(OSError):  # the video may have been removed
            if note is not None and note["source"] == file_fingerprint(job.path):
                return note
        return None

    def write_note(self, job: VideoJob, content: Mapping[str, object]) -> None:
        """Notes that a video is finished. Raises ValueError if it has changed since its journal was opened."""
        source = file_fingerprint(job.path)
        if self._begun.get(job, source) != source:
            raise ValueError(f"{job.path} changed while it was read; run the same command again")
        note = {"source": source, **content}
        with atomic_write(_note_path(self.output, job.name)) as partial:
            partial.write_text(json.dumps(note) + "\n", encoding="utf-8")

    def notes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and note of every finished video, sorted by name."""
        for path in sorted(self.folder.glob(f"*{_NOTE}")):
            name = path.name.removesuffix(_NOTE)
            note = read_note(self.output, name)
            if note is not None:
                yield name, note

    def _read_settings(self, path: Path) -> dict[str, object]:
        with suppress(ValueError, RecursionError):
            settings = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(settings, dict):
                return settings
        raise ValueError(
            f"{path} is damaged, so the settings with which {self.output} was begun are unknown; remove the files in "
            f"{self.output} to start again, or give another --output"
        )

    def _journal_path(self, job: VideoJob) -> Path:
        return self.folder / f"{job.name}{_JOURNAL}"


def read_note(output: Path, name: str) -> dict[str, Any] | None:
    """The note of a video; None if it is missing or damaged."""
    with suppress(OSError, ValueError, RecursionError):
        note = json.loads(_note_path(output, name).read_text(encoding="utf-8"))
        source = note.get("source") if isinstance(note, dict) else None
        if isinstance(source, dict) and isinstance(source.get("path"), str):
            return dict(note)
    return None


def require_free_names(output: Path, jobs: Sequence[VideoJob], paths: Sequence[Path]) -> None:
    """Raises ValueError if one of `paths`, which a run writes, exists but is of no earlier run, or if an earlier run
    used the name of a job for another video that still exists.
    """
    has_begun = (output / PARTS / _SETTINGS).exists()
    if not has_begun and (existing := next((path for path in paths if path.exists()), None)):
        raise ValueError(f"{existing} exists and is not from this command; give another --output, or move the file")
    for job in jobs:
        note = read_note(output, job.name)
        other = job.path.resolve() if note is None else Path(note["source"]["path"])
        if other != job.path.resolve() and other.exists():
            raise ValueError(
                f"the tables in {output} use the name {job.name} for {other}, so they cannot use it for {job.path}; "
                "give another --output"
            )


def _note_path(output: Path, name: str) -> Path:
    return output / PARTS / f"{name}{_NOTE}"


def fingerprint(chunks: Sequence[tuple[float, ...]]) -> str:
    """Text that is equal for the same times in the same chunks."""
    return f"{len(chunks)} chunks {zlib.crc32(repr(list(chunks)).encode()):08x}"


def error_text(error: Exception) -> str:
    """Why a video failed, on one line. Raises the error again if the disk is full or read-only: the run must stop."""
    if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
        raise error
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {text}"
