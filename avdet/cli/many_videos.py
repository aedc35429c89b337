"""Runs the action detector over many videos into one output folder: in one process, in several, or on Ray.

An error in one video does not stop the others, and finished videos are not repeated.
"""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.arguments import INTERRUPTED, person_detector_arguments
from avdet.cli.each_video import (
    failed_videos,
    file_versions,
    for_each_video,
    jobs_from_arguments,
    report_videos,
    video_progress,
)
from avdet.cli.video_documents import document_paths, require_free_documents, write_documents
from avdet.cli.video_pages import page_path, require_free_pages, write_page, write_pages_index
from avdet.overlap import StageTimes

if TYPE_CHECKING:
    import pandas as pd

    from avdet.distributed import DistributedContext
    from avdet.inference.detector import ActionDetector
    from avdet.inference.output_tables import OutputSettings, TableFormat
    from avdet.inference.resumable_output import FinishedVideo, ResumableOutput
    from avdet.inference.stages import InferenceSettings
    from avdet.inference.video_names import VideoJob
    from avdet.media.video_source import OpenOptions
    from avdet.people.person_detector import PersonDetector
    from avdet.visualization.person_timeline import Overlay
    from avdet.visualization.render import DrawSettings

    VideoResult = tuple[VideoJob, FinishedVideo | str]  # str: why the video failed

__all__ = [
    "detect_on_ray",
    "detect_videos",
    "given_boxes",
    "inference_settings",
    "person_detector",
    "require_unique_names",
]

logger = logging.getLogger(__name__)


def detect_videos(args: argparse.Namespace, process: DistributedContext) -> int:
    """Processes every world-size-th video; the main process writes the tables. Returns the exit status."""
    from avdet.inference.detector import ActionDetector
    from avdet.inference.output_tables import write_label_map
    from avdet.inference.resumable_output import ResumableOutput

    jobs = _jobs(args)
    device = str(process.device)
    detector = ActionDetector.from_checkpoint(args.checkpoint, device=device, precision=args.precision)
    detector.short_side = args.short_side or detector.short_side
    detector.extractor = replace(detector.extractor, options=_open_options(args, detector.extractor.options))
    boxes = given_boxes(args, jobs)
    if boxes is None:  # after the checkpoint, whose errors need no download of a person detector
        detector.person_detector = person_detector(args, device)
    output = ResumableOutput(args.output, _resume_settings(args))
    if process.is_main:
        write_label_map(detector.classes, args.output)
    results, interrupted = for_each_video(jobs, process, lambda job: _detect_video(job, detector, boxes, args, output))
    if process.is_main:
        _write_tables(args, len(jobs), results, output)
    if interrupted:
        logger.info("Interrupted; finished videos are saved in %s, and the same command resumes", args.output)
        return INTERRUPTED
    return 0


def detect_on_ray(args: argparse.Namespace) -> int:
    """Processes the videos on a Ray cluster and writes parquet tables. Returns the exit status."""
    from avdet.inference.output_tables import write_errors
    from avdet.inference.ray_batch import RayRun, require_ray
    from avdet.inference.resumable_output import ResumableOutput
    from avdet.people.build_detector import build_person_detector

    require_ray()
    jobs = _jobs(args)
    output = ResumableOutput(args.output, _resume_settings(args))
    build = partial(build_person_detector, **person_detector_arguments(args))
    workers = tuple(args.ray_workers)
    run = RayRun(
        args.checkpoint, build, given_boxes(args, jobs), inference_settings(args), workers, args.precision,
        args.short_side,
    )  # fmt: skip
    results = run.detect(
        jobs, output, _output_settings(args), address=args.ray, object_store_mb=args.object_store_memory
    )
    failed = failed_videos(results)
    write_errors(failed, args.output, "parquet")
    keyframes = [result.keyframes for _, result in results if not isinstance(result, str)]
    _report(args, len(results), failed, keyframes, "parquet")
    return 0


def inference_settings(args: argparse.Namespace) -> InferenceSettings:
    """Raises ValueError for an impossible rate, time range or batch size."""
    from avdet.inference.stages import InferenceSettings

    return InferenceSettings(args.keyframe_rate, args.start, args.end, args.min_box_score, args.batch_size)


def _open_options(args: argparse.Namespace, trained: OpenOptions) -> OpenOptions:
    """How videos are read: as in training, unless the command line says otherwise."""
    track = trained.audio_track if args.audio_track is None else args.audio_track
    return replace(trained, frames_fps=args.frames_fps or trained.frames_fps, audio_track=track)


def _output_settings(args: argparse.Namespace) -> OutputSettings:
    from avdet.inference.output_tables import OutputSettings

    return OutputSettings(args.smooth_window, args.min_score, not args.no_header)


def _resume_settings(args: argparse.Namespace) -> dict[str, object]:
    """The options on which all scores of one output depend; a resumed run must have the same."""
    names = (
        "person_detector", "person_model", "person_class", "person_format", "keyframe_rate", "start", "end",
        "min_box_score", "batch_size", "precision", "short_side", "audio_track", "frames_fps",
    )  # fmt: skip
    versions = file_versions(checkpoint=args.checkpoint, boxes=args.boxes, person_weights=args.person_weights)
    return {**{name: getattr(args, name) for name in names}, **versions}


def _jobs(args: argparse.Namespace) -> list[VideoJob]:
    from avdet.inference.resumable_output import require_free

    jobs = jobs_from_arguments(args)
    require_unique_names(args, jobs)
    require_free(args.output, jobs, "csv" if args.ray is None else "parquet")
    require_free_documents(args, jobs)
    if args.player:
        require_free_pages(args.output, jobs)
    return jobs


def require_unique_names(args: argparse.Namespace, jobs: Sequence[VideoJob]) -> None:
    """Raises ValueError if --boxes cannot tell two videos apart."""
    from avdet.inference.stages import source_name

    repeated = [name for name, count in Counter(source_name(job.path) for job in jobs).items() if count > 1]
    if args.boxes is not None and repeated:
        raise ValueError(f"several videos are named {min(repeated)}, by which --boxes identifies them; rename one")


def given_boxes(args: argparse.Namespace, jobs: Sequence[VideoJob]) -> pd.DataFrame | None:
    """The table of --boxes, or the boxes in a folder of YOLO's label files."""
    from ava_eval import read_boxes
    from avdet.inference.stages import require_boxes_of, source_name
    from avdet.people.detector_classes import PERSON_CLASS, class_id, names_by_count
    from avdet.people.yolo_labels import read_yolo_labels

    if args.boxes is None:
        return None
    if args.boxes.is_dir():
        wanted = args.person_class or PERSON_CLASS
        number = int(wanted) if wanted.isdigit() else class_id(wanted, names_by_count(80))
        videos = {source_name(job.path): job.path for job in jobs if job.path.exists()}
        return read_yolo_labels(args.boxes, videos, class_number=number, rate=args.keyframe_rate)
    boxes = read_boxes(args.boxes)
    require_boxes_of(boxes, [job.path for job in jobs])
    return boxes


def person_detector(args: argparse.Namespace, device: str) -> PersonDetector:
    from avdet.people.build_detector import build_person_detector

    return build_person_detector(**person_detector_arguments(args), device=device)


def _detect_video(
    job: VideoJob,
    detector: ActionDetector,
    boxes: pd.DataFrame | None,
    args: argparse.Namespace,
    output: ResumableOutput,
) -> FinishedVideo:
    """Writes the tables and the annotated video of one video, unless an earlier command wrote them."""
    from avdet.inference.resumable_output import annotated_path, predict_video
    from avdet.media.audio_choice import describe_audio_track
    from avdet.visualization.person_timeline import Overlay, detected_persons
    from avdet.visualization.render import DrawSettings

    settings = _output_settings(args)
    finished = output.finished(job, settings, "csv")
    annotated = annotated_path(args.output, job)
    annotates = not (args.no_video or job.path.is_dir())
    page = page_path(args.output, job) if args.player and not job.path.is_dir() else None
    outputs = [*([annotated] if annotates else []), *document_paths(args, job)]
    if page is not None and finished is not None and finished.keyframes:
        outputs.append(page)
    if finished is not None and all(path.exists() for path in outputs):
        logger.info("%s: already done", job.path)
        return finished
    options = detector.extractor.options
    if (sentence := describe_audio_track(job.path, options)) is not None:
        logger.info("%s", sentence)
    times = StageTimes()
    with video_progress(job.name, times) as on_chunk:
        predictions = predict_video(detector, job, boxes, inference_settings(args), output, on_chunk, times)
    predictions = predictions.linked().smoothed(args.smooth_window)
    if not job.path.is_dir():  # of a run with other settings
        annotated.unlink(missing_ok=True)
    if page is not None:
        page.unlink(missing_ok=True)
    finished = output.finish(job, predictions, detector.classes, settings, "csv")
    if not finished.keyframes:
        logger.warning("%s: no person has a score of %g or more", job.path, args.min_box_score)
    write_documents(args, job, predictions, detector.classes)
    if annotates:
        rows = predictions.action_rows(job.name, detector.classes, min_score=args.min_score)
        overlay = Overlay(detected_persons(rows, detector.classes.label_map), min_score=args.min_score)
        settings_of_copy = DrawSettings(args.start, args.end, audio_track=options.audio_track)
        _annotate(job, annotated, overlay, settings_of_copy, times)
    if page is not None and finished.keyframes:
        write_page(job, page, predictions, detector.classes, args.min_score)
    logger.info("%s: persons %d, keyframes %d; busy: %s", job.path, finished.persons, finished.keyframes, times)
    return finished


def _annotate(job: VideoJob, path: Path, overlay: Overlay, settings: DrawSettings, times: StageTimes) -> None:
    """Draws a video's detections; a failure is a warning, because the tables are complete."""
    from avdet.inference.resumable_output import error_text
    from avdet.visualization.render import render

    try:
        render(job.path, path, overlay, settings, times=times)
    except Exception as error:
        logger.warning("%s is in the tables, but cannot be annotated: %s", job.path, error_text(error))


def _write_tables(
    args: argparse.Namespace, num_videos: int, results: Sequence[VideoResult], output: ResumableOutput
) -> None:
    """Joins the tables of the finished videos, followed by those of earlier commands, and writes errors.csv.

    Raises ValueError if no video has a detection.
    """
    from avdet.annotations.checks import counted
    from avdet.inference.output_tables import join_csvs, write_errors

    finished = {job.name: result for job, result in results if not isinstance(result, str)}
    failed = failed_videos(results)
    if finished:
        with_same_settings, num_others = output.finished_earlier(_output_settings(args))
        names = {job.name for job, _ in results}
        earlier = [name for name in with_same_settings if name not in names]
        join_csvs(output.folder, [*finished, *earlier], args.output, header=not args.no_header)
        if args.player:
            write_pages_index(args.output, [*finished, *earlier], {name: reason for name, _, reason in failed})
        if earlier:
            logger.info("the tables include %s of earlier commands", counted(len(earlier), "video"))
        if num_others:
            logger.warning(
                "the tables omit %s of earlier commands with another --smooth-window, --min-score or --no-header",
                counted(num_others, "video"),
            )
    write_errors(failed, args.output, "csv")
    _report(args, num_videos, failed, [result.keyframes for result in finished.values()], "csv")


def _report(
    args: argparse.Namespace,
    num_videos: int,
    failed: Sequence[tuple[str, Path, str]],
    keyframes: Sequence[int],
    table_format: TableFormat,
) -> None:
    """Logs how many videos are done. keyframes: the number of keyframes with persons in each finished video.

    Raises ValueError if all videos failed, or if no finished video has a person.
    """
    if keyframes and not any(keyframes) and args.boxes is None:
        raise ValueError(f"no video has a person with a score of {args.min_box_score:g} or more; lower --min-box-score")
    errors = args.output / f"errors.{table_format}"
    report_videos(num_videos, len(keyframes), failed, output=args.output, errors=errors)
