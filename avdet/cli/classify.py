"""Classify videos: each as a whole, by the benchmark's test protocol, or in windows (--every).

Prints the highest scores. With --output also writes predictions.csv (all scores; of whole videos in the form that
test_net.py writes and score_clips.py reads), predictions.json (the highest scores) and errors.csv (the videos that
could not be read); the same command then resumes an interrupted run. torchrun distributes the videos over processes.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avdet.cli.arguments import (
    INTERRUPTED,
    ToolParser,
    add_precision_argument,
    add_video_arguments,
    require_not_nan,
    require_output_folder,
    user_errors,
)
from avdet.cli.config_arguments import configure_logging
from avdet.cli.each_video import (
    failed_videos,
    file_versions,
    for_each_video,
    jobs_from_arguments,
    report_videos,
    video_progress,
)
from avdet.output_lock import lock_folder
from avdet.overlap import StageTimes

if TYPE_CHECKING:
    from avdet.distributed import DistributedContext
    from avdet.inference.class_scores import ClassScores
    from avdet.inference.classifier import ActionClassifier
    from avdet.inference.resume_folder import ResumeFolder
    from avdet.inference.video_names import VideoJob

logger = logging.getLogger(__name__)
FILES = ("predictions.csv", "predictions.json", "errors.csv")


def main(argv: list[str] | None = None) -> int:
    """Exits with status 2 only if no video could be classified."""
    parser = ToolParser("classify.py", __doc__)
    add_video_arguments(parser)
    parser.add_argument("--checkpoint", type=Path, required=True, help="best.pt of a run, or a public checkpoint")
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for the tables (default: none are written)")
    parser.add_argument(
        "--every",
        type=float,
        metavar="SECONDS",
        help="score a window of the clip's span every so many seconds (default: each video as a whole)",
    )
    parser.add_argument("--top", type=int, default=5, help="number of classes printed and in the JSON (default 5)")
    parser.add_argument("--batch-size", type=int, default=8, help="crops of clips per batch (default 8)")
    add_precision_argument(parser)
    args = parser.parse(argv)
    with user_errors(), ExitStack() as stack:
        _check_arguments(args)
        if args.output is not None:
            stack.enter_context(lock_folder(args.output))
        from avdet.distributed import distributed_context

        # The processes exchange lists alone, and the first to finish waits for the last.
        with distributed_context(backend="gloo", timeout=timedelta(days=365)) as process:
            configure_logging(quiet=not process.is_main)
            return _classify_videos(args, process)


def _check_arguments(args: argparse.Namespace) -> None:
    require_not_nan(args, "every")
    if args.every is not None and args.every <= 0:
        raise ValueError(f"--every is {args.every:g}; give more than 0 seconds")
    if args.top < 1 or args.batch_size < 1:
        raise ValueError(f"--top is {args.top} and --batch-size {args.batch_size}; give 1 or more of each")
    if args.output is not None:
        require_output_folder(args.output)


def _classify_videos(args: argparse.Namespace, process: DistributedContext) -> int:
    from avdet.inference.classifier import ActionClassifier
    from avdet.inference.output_tables import write_errors
    from avdet.inference.resume_folder import ResumeFolder, require_free_names

    jobs = jobs_from_arguments(args)
    if args.output is not None:
        require_free_names(args.output, jobs, [args.output / file for file in FILES])
    classifier = ActionClassifier.from_checkpoint(args.checkpoint, device=str(process.device), precision=args.precision)
    output = None
    if args.output is not None:
        options = {name: getattr(args, name) for name in ("every", "batch_size", "precision")}
        settings = {**options, **file_versions(checkpoint=args.checkpoint)}
        output = ResumeFolder(args.output, settings)
    results, interrupted = for_each_video(jobs, process, lambda job: _classify(job, classifier, args, output))
    failed = failed_videos(results)
    num_done = len(results) - len(failed)
    if process.is_main:
        if output is not None:
            if num_done:
                _write_predictions(args, jobs, output, classifier)
            write_errors(failed, args.output, "csv")
        errors = None if args.output is None else args.output / "errors.csv"
        report_videos(len(jobs), num_done, failed, output=args.output, errors=errors)
    if interrupted:
        saved = (
            "" if args.output is None else f"; finished videos are saved in {args.output}, and the same command resumes"
        )
        logger.info("Interrupted%s", saved)
        return INTERRUPTED
    return 0


def _classify(
    job: VideoJob, classifier: ActionClassifier, args: argparse.Namespace, output: ResumeFolder | None
) -> int:
    """Classifies one video, unless an earlier command did, and prints its scores. Returns the number of windows."""
    scores = None if output is None else _finished_scores(job, classifier, output)
    if scores is None:
        scores = _scores(job, classifier, args, output)
    else:
        logger.info("%s: already done", job.path)
    sys.stdout.write("".join(f"{line}\n" for line in _lines(job.name, scores, args)))
    sys.stdout.flush()
    return len(scores)


def _finished_scores(job: VideoJob, classifier: ActionClassifier, output: ResumeFolder) -> ClassScores | None:
    from avdet.inference.class_scores import ClassScores

    file = output.result_file(job.name)
    if output.note(job) is None or not file.exists():
        return None
    return ClassScores.from_bytes(file.read_bytes(), job.name, classifier.classes)


def _scores(
    job: VideoJob, classifier: ActionClassifier, args: argparse.Namespace, output: ResumeFolder | None
) -> ClassScores:
    if output is None:
        return classifier(job.path, every_s=args.every, batch_size=args.batch_size)
    windows = classifier.windows(job.path, every_s=args.every, batch_size=args.batch_size)
    times = StageTimes()
    with video_progress(job.name, times) as on_chunk:
        chunks = output.complete(
            job, windows.chunks, lambda done: classifier.chunks(windows, done=done, times=times), on_chunk
        )
        scores = classifier.aggregate(windows, chunks, every_s=args.every)
    output.write_result(job, scores.to_bytes(), {"windows": len(scores)})
    return scores


def _lines(name: str, scores: ClassScores, args: argparse.Namespace) -> Iterator[str]:
    """One line per window and class set: `clip  0.0 - 2.1 s  verb: take 0.812, put 0.107`."""
    for (start_s, end_s, class_set), rows in scores.top(args.top).groupby(["start_s", "end_s", "set"], sort=False):
        span = "" if args.every is None else f"  {start_s:.1f} - {end_s:.1f} s"
        prefix = f"{class_set}: " if len(scores.classes) > 1 else ""
        ranked = ", ".join(f"{label} {score:.3f}" for label, score in zip(rows["class"], rows["score"], strict=True))
        yield f"{name}{span}  {prefix}{ranked}"


def _write_predictions(
    args: argparse.Namespace, jobs: list[VideoJob], output: ResumeFolder, classifier: ActionClassifier
) -> None:
    """Writes the scores of the finished videos, followed by those of earlier commands; one video is in memory."""
    from avdet.annotations.checks import counted
    from avdet.atomic_write import atomic_write
    from avdet.engine.predictions_csv import prediction_table
    from avdet.inference.class_scores import ClassScores

    finished = {name: note for name, note in output.notes() if output.result_file(name).exists()}
    current = [job.name for job in jobs if job.name in finished]
    names = [*current, *(name for name in finished if name not in set(current))]
    if len(names) > len(current):
        logger.info("the tables include %s of earlier commands", counted(len(names) - len(current), "video"))
    videos = []
    with atomic_write(args.output / "predictions.csv") as path, path.open("w", encoding="utf-8", newline="") as file:
        for number, name in enumerate(names):
            scores = ClassScores.from_bytes(output.result_file(name).read_bytes(), name, classifier.classes)
            table = prediction_table([name] * len(scores), scores.scores, classifier.classes)
            if args.every is not None:
                table.insert(1, "start_s", scores.start_s)
                table.insert(2, "end_s", scores.end_s)
            table.to_csv(file, index=False, header=not number, float_format="%.9g", lineterminator="\n")
            videos.append({"video": name, "path": finished[name]["source"]["path"], "windows": _json(scores, args.top)})
    content = {"checkpoint": str(args.checkpoint), "every_s": args.every, "videos": videos}
    with atomic_write(args.output / "predictions.json") as path:
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _json(scores: ClassScores, top: int) -> list[Mapping[str, Any]]:
    windows: dict[tuple[float, float], dict[str, Any]] = {}
    for row in scores.top(top).to_dict("records"):
        times_s = (row["start_s"], row["end_s"])
        window = windows.setdefault(times_s, {"start_s": times_s[0], "end_s": times_s[1], "scores": {}})
        entry = {key: row[key] for key in ("class_id", "class", "score")}
        window["scores"].setdefault(row["set"], []).append(entry)
    return list(windows.values())
