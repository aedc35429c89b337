"""The videos of a command line, and the loop over them: a video that fails is reported, and the others go on."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from avdet.distributed import DistributedContext
    from avdet.inference.video_names import VideoJob
    from avdet.overlap import StageTimes

__all__ = ["failed_videos", "file_versions", "for_each_video", "jobs_from_arguments", "report_videos", "video_progress"]

logger = logging.getLogger(__name__)
R = TypeVar("R")


def jobs_from_arguments(args: argparse.Namespace) -> list[VideoJob]:
    """The videos of VIDEO... and --input. Raises ValueError if there are none, or if none of them exists."""
    from avdet.inference.video_names import expand_videos, read_list, video_jobs

    if not args.videos and args.input is None:
        raise ValueError("no input; give video files, or --input with a list of them")
    jobs = video_jobs(expand_videos([*args.videos, *(read_list(args.input) if args.input else [])]))
    if not jobs:
        raise ValueError(f"{args.input} lists no video; write one path per line")
    if not any(job.path.exists() for job in jobs):
        raise ValueError(f"There is no video at {jobs[0].path}; give the path of a file, or of a folder of frames")
    return jobs


def for_each_video(
    jobs: Sequence[VideoJob], process: DistributedContext, work: Callable[[VideoJob], R]
) -> tuple[list[tuple[VideoJob, R | str]], bool]:
    """The result of each video or, as a string, why it failed; and whether Ctrl-C ended the loop.

    Each process works on every world-size-th video and gets the results of all, in the order of `jobs`.
    """
    from avdet.inference.resume_folder import error_text

    results: list[tuple[VideoJob, R | str]] = []
    interrupted = False
    for job in jobs[process.rank :: process.world_size]:
        try:
            results.append((job, work(job)))
        except KeyboardInterrupt:
            if process.world_size > 1:
                raise
            interrupted = True
            break
        except Exception as error:
            text = error_text(error)
            results.append((job, text))
            logger.warning("%s is skipped: %s", job.path, text)
    result_of = dict(process.all_gather(results))
    return [(job, result_of[job]) for job in jobs if job in result_of], interrupted


def failed_videos(results: Sequence[tuple[VideoJob, R | str]]) -> list[tuple[str, Path, str]]:
    """Name, path and error of each video that failed."""
    return [(job.name, job.path, result) for job, result in results if isinstance(result, str)]


def report_videos(
    num_videos: int, num_done: int, failed: Sequence[tuple[str, Path, str]], *, output: Path | None, errors: Path | None
) -> None:
    """Logs how many videos are done. Raises ValueError if all failed. errors: the file that lists the failed ones."""
    see = "" if errors is None else f"; see {errors}"
    if failed and not num_done:
        raise ValueError(failed[0][2] if num_videos == 1 else f"none of {num_videos} videos could be read{see}")
    logger.info("%d of %d videos are %s", num_done, num_videos, "done" if output is None else f"in {output}")
    if failed:
        logger.warning("%d could not be read%s. The same command retries them", len(failed), see)


def file_versions(**files: Path | None) -> dict[str, object]:
    """Path and time of change of the files that are given: settings on which results depend."""
    return {name: [str(path.resolve()), path.stat().st_mtime] for name, path in files.items() if path is not None}


@contextmanager
def video_progress(name: str, times: StageTimes | None = None) -> Iterator[Callable[[int, int], None]]:
    """Yields a function that shows the number of chunks done and their total; `times`: how long each stage is busy."""
    from avdet.engine.progress import counting_bars

    with counting_bars() as progress:
        bar = progress.add_task(name, total=None)

        def show(done: int, total: int) -> None:
            title = name if times is None else f"{name}: {times}"  # the times change
            progress.update(bar, completed=done, total=total, description=title)

        yield show
