"""Say what the people of videos do, as tables and as annotated videos.

Writes detections.csv (AVA's form, with person ids), tubes.csv (who does what from when to when), boxes.csv (the
people), errors.csv (the videos that could not be read) and VIDEO.mp4. A run that was interrupted goes on when the same
command is given again. torchrun shares the videos among processes, --ray among machines.
"""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.arguments import require_not_nan, require_output_folder, user_errors
from avdet.cli.config_arguments import configure_logging

if TYPE_CHECKING:
    import pandas as pd

    from avdet.distributed import DistributedContext
    from avdet.inference.detector import ActionDetector
    from avdet.inference.output_tables import OutputSettings
    from avdet.inference.resumable_output import FinishedVideo, ResumableOutput
    from avdet.inference.stages import InferenceSettings
    from avdet.inference.video_names import VideoJob
    from avdet.people.person_detector import PersonDetector

    EvaluationResult = tuple[VideoJob, FinishedVideo | str]

logger = logging.getLogger(__name__)
INTERRUPTED = 130  # as shells count it


def main(argv: list[str] | None = None) -> int:
    """Exit status 2 only where nothing could be done: single videos that fail are in errors.csv."""
    args = _parser().parse_intermixed_args(argv)
    with user_errors():
        _refuse_impossible(args)
        if args.ray is not None:
            return _detect_on_ray(args)
        from avdet.distributed import distributed_context

        # They only pass lists, and who is done first waits until the last one is.
        with distributed_context(backend="gloo", timeout=timedelta(days=365)) as process:
            configure_logging(quiet=not process.is_main)
            return _detect(args, process)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="detect_actions.py", description=__doc__)
    parser.add_argument("videos", nargs="*", type=Path, metavar="VIDEO", help="files, or folders of extracted frames")
    parser.add_argument("--input", type=Path, metavar="LIST", help="a text file with more of them, a path a line")
    parser.add_argument("--checkpoint", type=Path, required=True, help="last.pt or best.pt of a run")
    parser.add_argument("--output", type=Path, required=True, help="folder for the tables and VIDEO.mp4")
    people = parser.add_mutually_exclusive_group()
    people.add_argument(
        "--boxes", type=Path, help="the people, if found already: CSV video,timestamp,x1,y1,x2,y2[,score[,person_id]]"
    )
    people.add_argument(
        "--detector", choices=("detectron2", "torchvision"),
        help="what finds them (default: what trained --people, else Detectron2 if it is installed, else torchvision)",
    )  # fmt: skip
    parser.add_argument("--people", type=Path, metavar="WEIGHTS", help="its weights, for example a people.pt")
    parser.add_argument("--people-model", help="its model: see detect_people.py --model")
    parser.add_argument("--rate", type=float, default=1.0, help="keyframes a second at which it looks (default 1)")
    parser.add_argument("--start", type=float, default=0.0, metavar="SECOND", help="look from there on (default 0)")
    parser.add_argument("--end", type=float, metavar="SECOND", help="and up to there (default: the video's end)")
    parser.add_argument("--min-box-score", type=float, default=0.8, help="people below it are left out (default 0.8)")
    parser.add_argument(
        "--min-score", type=float, default=0.3, help="actions below it are not drawn and make no tube (default 0.3)"
    )
    parser.add_argument(
        "--smooth", type=float, default=0.0, metavar="SECONDS",
        help="mean of a person's scores over so long, so that labels do not flicker (default 0: none)",
    )  # fmt: skip
    parser.add_argument("--batch-size", type=int, default=8, help="keyframes at a time, all in memory (default 8)")
    parser.add_argument("--no-video", action="store_true", help="tables alone, no VIDEO.mp4")
    parser.add_argument(
        "--ray", metavar="ADDRESS",
        help="run on the Ray cluster there (host:port, auto) or on one started here (local), and write parquet",
    )  # fmt: skip
    parser.add_argument(
        "--ray-workers", type=int, nargs=3, default=(2, 1, 1), metavar=("DECODE", "PEOPLE", "ACTIONS"),
        help="Ray workers that decode, find people and judge actions (default 2 1 1)",
    )  # fmt: skip
    parser.add_argument(
        "--object-store-memory", type=int, metavar="MB", help="of a local Ray cluster (default: a third of all memory)"
    )
    return parser


def _refuse_impossible(args: argparse.Namespace) -> None:
    require_output_folder(args.output)
    if args.boxes is not None and (args.people is not None or args.people_model is not None):
        raise ValueError("--boxes says who is there, so --people and --people-model have nothing to do; leave one out")
    if args.boxes is not None and args.boxes.resolve() == (args.output / "boxes.csv").resolve():
        raise ValueError(f"--boxes {args.boxes} is what --output will write; copy it or give another --output")
    if not args.smooth >= 0:
        raise ValueError(f"--smooth is {args.smooth:g}; it must be 0 seconds or more")
    require_not_nan(args, "min_box_score", "min_score")
    if min(args.ray_workers) < 1:
        raise ValueError(f"--ray-workers are {args.ray_workers}; each kind needs 1 or more")
    if not args.videos and args.input is None:
        raise ValueError("there is nothing to look at; give video files, or --input with a list of them")
    _wishes(args)  # refuses what is no rate, no part of a video or no number of keyframes


def _jobs(args: argparse.Namespace) -> list[VideoJob]:
    from avdet.inference.resumable_output import require_free
    from avdet.inference.stages import source_name
    from avdet.inference.video_names import read_list, video_jobs

    jobs = video_jobs([*args.videos, *(read_list(args.input) if args.input else [])])
    if not jobs:
        raise ValueError(f"{args.input} lists no video; give a path a line")
    if not any(job.path.exists() for job in jobs):
        raise ValueError(f"There is no video at {jobs[0].path}; give the path of a file, or of a folder of frames")
    double = [name for name, count in Counter(source_name(job.path) for job in jobs).items() if count > 1]
    if args.boxes is not None and double:
        raise ValueError(f"several videos are named {min(double)}, which is all that --boxes says; rename one")
    require_free(args.output, jobs, "csv" if args.ray is None else "parquet")
    return jobs


def _detect(args: argparse.Namespace, process: DistributedContext) -> int:
    from avdet.checkpoints.checkpoint_io import load_checkpoint
    from avdet.inference.detector import ActionDetector
    from avdet.inference.output_tables import write_label_map
    from avdet.inference.resumable_output import ResumableOutput, error_text

    jobs = _jobs(args)
    load_checkpoint(args.checkpoint)  # what is wrong with it is said before a person detector is downloaded
    people, boxes = _people(args, str(process.device))
    detector = ActionDetector.from_checkpoint(args.checkpoint, device=str(process.device), person_detector=people)
    workplace = ResumableOutput(args.output, _settings(args))
    if process.is_main:
        write_label_map(detector.classes, args.output)
    outcomes: list[EvaluationResult] = []
    stopped = False
    for job in jobs[process.rank :: process.world]:
        try:
            outcomes.append((job, _one(job, detector, boxes, args, workplace)))
        except KeyboardInterrupt:
            if process.world > 1:
                raise
            stopped = True
            break
        except Exception as error:
            outcomes.append((job, error_text(error)))
            logger.warning("%s is left out: %s", job.path, outcomes[-1][1])
    outcomes = process.gather(outcomes)
    if process.is_main:
        found = dict(outcomes)
        _sum_up(args, len(jobs), [(job, found[job]) for job in jobs if job in found], workplace)
    if stopped:
        logger.info("Stopped; what is done is in %s, and the same command goes on", args.output)
        return INTERRUPTED
    return 0


def _one(
    job: VideoJob,
    detector: ActionDetector,
    boxes: pd.DataFrame | None,
    args: argparse.Namespace,
    workplace: ResumableOutput,
) -> FinishedVideo:
    from avdet.inference.resumable_output import annotated_path, error_text, predict_video
    from avdet.visualization.person_timeline import Overlay, detected_persons
    from avdet.visualization.render import render

    showing, names = _showing(args), detector.classes.label_map
    finished = workplace.finished(job, showing, "csv")
    film, wanted = annotated_path(args.output, job), not (args.no_video or job.path.is_dir())
    if finished is not None and (not wanted or film.exists() or not finished.keyframes):
        logger.info("%s: done before", job.path)
        return finished
    with _bar(job.name) as on_chunk:
        people = predict_video(detector, job, boxes, _wishes(args), workplace, on_chunk)
    people = people.linked().smoothed(args.smooth)
    if not job.path.is_dir():
        film.unlink(missing_ok=True)  # it shows what another run found
    finished = workplace.finish(job, people, detector.classes, showing, "csv")
    if not finished.keyframes:
        logger.warning("%s: nobody is found with a score of %g or more", job.path, args.min_box_score)
    elif wanted:
        rows = people.action_rows(job.name, detector.classes, min_score=args.min_score)
        try:
            render(job.path, film, Overlay(detected_persons(rows, names), min_score=args.min_score))
        except Exception as error:  # the tables stand
            logger.warning("%s is in the tables, but its film cannot be drawn: %s", job.path, error_text(error))
    logger.info("%s: %d people at %d times", job.path, finished.persons, finished.keyframes)
    return finished


def _sum_up(
    args: argparse.Namespace, count: int, outcomes: Sequence[EvaluationResult], workplace: ResumableOutput
) -> None:
    """The tables of those of `count` videos that are done, as one, with those of earlier commands behind them.

    Raises ValueError where there is nothing in them.
    """
    from avdet.annotations.checks.finding import counted
    from avdet.inference.output_tables import join_csvs, write_errors

    finished = {job.name: found for job, found in outcomes if not isinstance(found, str)}
    failed = [(job.name, job.path, found) for job, found in outcomes if isinstance(found, str)]
    if finished:
        earlier, others = workplace.finished_earlier(_showing(args))
        known = {job.name for job, _ in outcomes}
        more = [name for name in earlier if name not in known]
        join_csvs(workplace.folder, [*finished, *more], args.output)
        if more:
            logger.info("also in the tables, of earlier commands: %s", counted(len(more), "video"))
        if others:
            left_out = counted(others, "video")
            logger.warning("not in the tables, for another --smooth or --min-score in an earlier command: %s", left_out)
    write_errors(failed, args.output, "csv")
    _say_sum(args, count, failed, [found.keyframes for found in finished.values()], "csv")


def _say_sum(
    args: argparse.Namespace, count: int, failed: Sequence[tuple[str, Path, str]], times: Sequence[int], form: str
) -> None:
    listed = args.output / f"errors.{form}"
    if failed and not times:
        raise ValueError(failed[0][2] if count == 1 else f"none of {count} videos could be read; {listed} says why")
    if times and not any(times):
        raise ValueError(
            f"none of the videos has a person with a score of {args.min_box_score:g} or more; lower --min-box-score"
        )
    logger.info("%d of %d videos are in %s", len(times), count, args.output)
    if failed:
        logger.warning("%d could not be read; %s says why, and the same command tries them again", len(failed), listed)


def _people(args: argparse.Namespace, device: str) -> tuple[PersonDetector | None, pd.DataFrame | None]:
    """Who looks for people, or the table that knows them."""
    from ava_eval import read_boxes
    from avdet.people.build_detector import build_person_detector

    if args.boxes is not None:
        return None, read_boxes(args.boxes)
    return build_person_detector(args.detector, model=args.people_model, weights=args.people, device=device), None


def _wishes(args: argparse.Namespace) -> InferenceSettings:
    from avdet.inference.stages import InferenceSettings

    return InferenceSettings(args.rate, args.start, args.end, args.min_box_score, args.batch_size)


def _showing(args: argparse.Namespace) -> OutputSettings:
    from avdet.inference.output_tables import OutputSettings

    return OutputSettings(args.smooth, args.min_score)


def _settings(args: argparse.Namespace) -> dict[str, object]:
    """What the scores of one output have in common."""
    names = ("detector", "people_model", "rate", "start", "end", "min_box_score", "batch_size")
    files = {name: getattr(args, name) for name in ("checkpoint", "boxes", "people")}
    known = {name: [str(path.resolve()), path.stat().st_mtime] for name, path in files.items() if path is not None}
    return {**{name: getattr(args, name) for name in names}, **known}


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int], None]]:
    from avdet.engine.progress import counting_bars

    with counting_bars() as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _detect_on_ray(args: argparse.Namespace) -> int:
    from ava_eval import read_boxes
    from avdet.inference.output_tables import write_errors
    from avdet.inference.ray_batch import RayRun, require_ray
    from avdet.inference.resumable_output import ResumableOutput
    from avdet.people.build_detector import build_person_detector

    require_ray()
    configure_logging()
    jobs = _jobs(args)
    workplace = ResumableOutput(args.output, _settings(args))
    people = partial(build_person_detector, args.detector, model=args.people_model, weights=args.people)
    boxes = None if args.boxes is None else read_boxes(args.boxes)
    run = RayRun(args.checkpoint, people, boxes, _wishes(args), tuple(args.ray_workers))
    outcomes = run.detect(jobs, workplace, _showing(args), address=args.ray, object_store_mb=args.object_store_memory)
    failed = [(job.name, job.path, found) for job, found in outcomes if isinstance(found, str)]
    write_errors(failed, args.output, "parquet")
    times = [found.keyframes for _, found in outcomes if not isinstance(found, str)]
    _say_sum(args, len(outcomes), failed, times, "parquet")
    return 0
