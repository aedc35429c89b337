"""Re-encode a recipe's videos once, small and quick to cut: a clip then costs a fifth to a third of what it did.

Train from the copies with data.videos=DIR. Copies that are there already are kept, so a stopped run goes on; those of
another version of a video, or of another size, are made anew.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from avdet.cli.arguments import require_output_folder, user_errors
from avdet.cli.config_arguments import add_config_arguments, config_from_arguments, configure_logging, provide_sample

logger = logging.getLogger(__name__)
LARGEST_CRF = 51


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="cache_videos.py", description=__doc__)
    add_config_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="the folder that the copies go to")
    parser.add_argument("--short-side", type=int, default=256, metavar="PX", help="of the copies, at most")
    parser.add_argument("--crf", type=int, default=20, help="x264's quality: smaller is better and larger on disk")
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    args = parser.parse_intermixed_args(argv)
    configure_logging()
    with user_errors():
        config = config_from_arguments(args)
        if args.workers < 1 or args.short_side < 32:
            raise ValueError(f"--workers {args.workers}, --short-side {args.short_side}; give at least 1 and 32")
        if not 0 <= args.crf <= LARGEST_CRF:
            raise ValueError(f"--crf is {args.crf}; x264's qualities are 0 (best) to {LARGEST_CRF}")
        require_output_folder(args.output)
        if args.sample:
            provide_sample(config)
        if not config.data.videos.is_dir():
            raise ValueError(f"{config.data.videos.absolute()} is no folder; say where the videos are with data.videos")
        targets = find_targets(config.data.videos, args.output)
        cache_videos(targets, short_side=args.short_side, crf=args.crf, workers=args.workers)
    return 0


def find_targets(videos: Path, output: Path) -> dict[Path, Path]:
    """From every video below a folder to its copy in `output`, in the same folders below it and as mp4."""
    from avdet.datasets.videos import files_below, is_video

    videos, output = videos.resolve(), output.resolve()
    if videos == output:
        raise ValueError(f"--output {output} is where the videos lie; give another folder")
    sources = filter(is_video, files_below(videos))
    targets = {
        path: (output / path.relative_to(videos)).with_suffix(".mp4") for path in sources if output not in path.parents
    }
    for target, count in Counter(targets.values()).items():
        if count > 1:
            raise ValueError(f"{count} videos in {videos} would be copied to {target}; rename all but one of them")
    if not targets:
        raise ValueError(f"there is no video in {videos}; say where they are with data.videos")
    return targets


def cache_videos(targets: Mapping[Path, Path], *, short_side: int, crf: int, workers: int) -> None:
    """Makes the copies that are not there yet, and logs each.

    Raises ValueError at once where a file is in the way that is no copy, and at the end if some failed.
    """
    from avdet.media.cache import cache_video, read_cache_key

    there = {target: read_cache_key(target) for target in targets.values() if target.exists()}
    if foreign := next((target for target, recipe in there.items() if recipe is None), None):
        raise ValueError(
            f"{foreign} is there, and does not say that it is such a copy; move it away, or give another --output"
        )
    left = {
        source: target
        for source, target in targets.items()
        if target not in there or there[target] != _wanted(source, short_side, crf)
    }
    logger.info("%d videos, %d of them cached before", len(targets), len(targets) - len(left))
    if replaced := sum(target.exists() for target in left.values()):
        logger.info("made anew, because the video, --short-side or --crf is another: %d", replaced)
    failed: list[str] = []
    with ProcessPoolExecutor(min(workers, max(len(left), 1)), multiprocessing.get_context("spawn")) as pool:
        jobs = {pool.submit(cache_video, *pair, short_side=short_side, crf=crf): pair for pair in left.items()}
        for done, job in enumerate(as_completed(jobs), 1):
            source, _ = jobs[job]
            try:
                copy = job.result()
            except Exception as error:  # whatever it is, the other videos are cached
                failed.append(" ".join(str(error).split()) or type(error).__name__)
                logger.warning("%d/%d  %s", done, len(jobs), failed[-1])
            else:
                size = f"{copy.frames} frames, {copy.source_bytes / 1e6:.1f} -> {copy.bytes / 1e6:.1f} MB"
                logger.info("%d/%d  %s: %s", done, len(jobs), copy.path, size)
                if copy.early_end_s is not None:
                    logger.warning(
                        "%s and its copy are cut short: of %.1f s, the last picture appears at %.1f; fetch it again",
                        source,
                        copy.duration_s,
                        copy.early_end_s,
                    )
    if failed:
        raise ValueError(f"{len(failed)} of {len(left)} videos could not be cached, the first one so: {failed[0]}")


def _wanted(source: Path, short_side: int, crf: int) -> dict[str, object] | None:
    """None where the source cannot be reached, which its worker will say."""
    from avdet.media.cache import cache_key

    try:
        return cache_key(source, short_side=short_side, crf=crf)
    except OSError:
        return None
