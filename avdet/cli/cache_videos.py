"""Re-encode the videos of a config at a smaller size, so that loading a clip takes a fifth to a third of the time.

Train from the copies with data.videos=DIR. Existing copies are kept, so the same command resumes an interrupted run;
copies of a video that changed, or made with other options, are replaced.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from avdet.cli.arguments import ToolParser, require_output_folder, user_errors
from avdet.cli.config_arguments import add_config_arguments, config_from_arguments, configure_logging, provide_sample
from avdet.output_lock import lock_folder

logger = logging.getLogger(__name__)
MAX_CRF = 51


def main(argv: list[str] | None = None) -> int:
    parser = ToolParser("cache_videos.py", __doc__)
    add_config_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="folder for the copies")
    parser.add_argument(
        "--short-side", type=int, default=256, metavar="PX", help="maximum short side of the copies (default 256)"
    )
    parser.add_argument("--crf", type=int, default=20, help="x264's CRF; lower gives better quality and larger files")
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count(), help="default: one per core")
    args = parser.parse(argv)
    configure_logging()
    with user_errors():
        config = config_from_arguments(args)
        if args.workers < 1 or args.short_side < 32:
            raise ValueError(f"--workers is {args.workers}, --short-side is {args.short_side}; give at least 1 and 32")
        if not 0 <= args.crf <= MAX_CRF:
            raise ValueError(f"--crf is {args.crf}; x264 accepts 0 (best) to {MAX_CRF}")
        require_output_folder(args.output)
        if args.sample:
            provide_sample(config)
        if not config.data.videos.is_dir():
            raise ValueError(f"{config.data.videos.absolute()} is no folder; correct data.videos")
        targets = find_targets(config.data.videos, args.output)
        with lock_folder(args.output):
            track = config.data.audio_track
        cache_videos(targets, short_side=args.short_side, crf=args.crf, workers=args.workers, audio_track=track)
        if track is not None:
            logger.info("the copies have audio track %d alone: train from them with data.audio_track=null", track)
    return 0


def find_targets(videos: Path, output: Path) -> dict[Path, Path]:
    """Maps every video below a folder to its copy: the same relative path below `output`, as mp4."""
    from avdet.datasets.video_files import files_below, is_video

    videos, output = videos.resolve(), output.resolve()
    if videos == output:
        raise ValueError(f"--output {output} is the folder of the videos; give another folder")
    sources = filter(is_video, files_below(videos))
    targets = {
        path: (output / path.relative_to(videos)).with_suffix(".mp4") for path in sources if output not in path.parents
    }
    for target, count in Counter(targets.values()).items():
        if count > 1:
            raise ValueError(f"{count} videos in {videos} would be copied to {target}; rename all but one of them")
    if not targets:
        raise ValueError(f"there is no video in {videos}; set data.videos to the folder of the videos")
    return targets


def cache_videos(
    targets: Mapping[Path, Path], *, short_side: int, crf: int, workers: int, audio_track: int | None = None
) -> None:
    """Creates the copies that do not exist yet, and logs each.

    Raises ValueError before the work if a target is a file of another origin, and after it if a video failed.
    """
    from avdet.media.cache import cache_video, read_cache_key

    existing = {target: read_cache_key(target) for target in targets.values() if target.exists()}
    if other := next((target for target, origin in existing.items() if origin is None), None):
        raise ValueError(f"{other} exists and is no copy of this tool; move it, or give another --output")
    remaining = {
        source: target
        for source, target in targets.items()
        if target not in existing or existing[target] != _origin(source, short_side, crf, audio_track)
    }
    logger.info("%d videos, %d of them already cached", len(targets), len(targets) - len(remaining))
    if replaced := sum(target.exists() for target in remaining.values()):
        logger.info("%d copies are replaced, because the video, --short-side or --crf changed", replaced)
    failed: list[str] = []
    with ProcessPoolExecutor(min(workers, max(len(remaining), 1)), multiprocessing.get_context("spawn")) as pool:
        copy_one = partial(cache_video, short_side=short_side, crf=crf, audio_track=audio_track)
        jobs = {pool.submit(copy_one, *pair): pair for pair in remaining.items()}
        for done, job in enumerate(as_completed(jobs), 1):
            source, _ = jobs[job]
            try:
                copy = job.result()
            except Exception as error:  # the other videos are cached all the same
                failed.append(" ".join(str(error).split()) or type(error).__name__)
                logger.warning("%d/%d  %s", done, len(jobs), failed[-1])
            else:
                size = f"{copy.frames} frames, {copy.source_bytes / 1e6:.1f} -> {copy.bytes / 1e6:.1f} MB"
                logger.info("%d/%d  %s: %s", done, len(jobs), copy.path, size)
                if copy.early_end_s is not None:
                    logger.warning(
                        "%s is truncated, and so is its copy: the last frame of %.1f s is at %.1f s; download it again",
                        source,
                        copy.duration_s,
                        copy.early_end_s,
                    )
    if failed:
        raise ValueError(f"{len(failed)} of {len(remaining)} videos could not be cached; first error: {failed[0]}")


def _origin(source: Path, short_side: int, crf: int, audio_track: int | None) -> dict[str, object] | None:
    """What the copy is made from and how; None if the source cannot be read, which its worker reports."""
    from avdet.media.cache import cache_key

    try:
        return cache_key(source, short_side=short_side, crf=crf, audio_track=audio_track)
    except OSError:
        return None
