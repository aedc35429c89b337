"""The documents of detect_actions.py --json and --subtitles, one per video in the output folder."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avdet.datasets.class_names import ClassNames
    from avdet.inference.predictions import PersonPredictions
    from avdet.inference.video_names import VideoJob

__all__ = ["document_paths", "require_free_documents", "write_documents"]


def document_paths(args: argparse.Namespace, job: VideoJob) -> list[Path]:
    """The documents of a video."""
    kinds = [*(["json"] if args.json else []), *([args.subtitles] if args.subtitles else [])]
    return [args.output / f"{job.name}.{kind}" for kind in kinds]


def require_free_documents(args: argparse.Namespace, jobs: Sequence[VideoJob]) -> None:
    """Raises ValueError if a document would overwrite a file of a video that no earlier command finished."""
    from avdet.inference.resume_folder import read_note

    for job in jobs:
        existing = next((path for path in document_paths(args, job) if path.exists()), None)
        if existing is not None and read_note(args.output, job.name) is None:
            raise ValueError(f"{existing} exists and is not from this command; give another --output, or move the file")


def write_documents(
    args: argparse.Namespace, job: VideoJob, predictions: PersonPredictions, classes: ClassNames
) -> None:
    """Writes the documents of a video's linked and smoothed predictions."""
    from avdet.inference.video_documents import video_document, video_events, write_json, write_subtitles

    for path in document_paths(args, job):
        if path.suffix == ".json":
            write_json(video_document(predictions, job.name, classes, args.min_score), path)
        else:
            write_subtitles(video_events(predictions, job.name, classes, args.min_score), path, args.subtitles)
