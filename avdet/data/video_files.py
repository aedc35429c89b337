"""Which file a benchmark means: by its path below the folder of videos, or by its name alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np

from avdet.data.movies import VIDEO_SUFFIXES
from avdet.data.segments import Segments

__all__ = ["find_video", "find_videos", "name_of", "with_video"]


def find_videos(folder: Path) -> dict[str, Path]:
    """Every video below `folder`, by its path in it and by its bare name, both without suffix."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES)
    bare: dict[str, Path] = {}
    for path in paths:
        bare.setdefault(path.stem, path)
    return {**bare, **{path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}}


def name_of(path: str) -> str:
    """What a list's `class/clip.avi` is called here: `class/clip`; other dots than the suffix's stay."""
    pure = PurePosixPath(path.replace("\\", "/"))
    return str(pure.with_suffix("")) if pure.suffix.lower() in VIDEO_SUFFIXES else str(pure)


def find_video(videos: Mapping[str, Path], name: str) -> Path | None:
    """By path, else by bare name, so that flat folders serve lists with folders in them."""
    return videos.get(name) or videos.get(PurePosixPath(name).name)


def with_video(segments: Segments, videos: Mapping[str, Path]) -> tuple[Segments, dict[str, Path], list[str]]:
    """The segments whose file is there, the files, and one sentence that counts the missing ones, if any."""
    names = sorted(set(segments.videos))
    found = {name: path for name in names if (path := find_video(videos, name)) is not None}
    missing = [name for name in names if name not in found]
    if not missing:
        return segments, found, []
    here = np.array([name in found for name in segments.videos], dtype=bool)
    examples = ", ".join(missing[:3]) + ", ..." * (len(missing) > 3)
    return segments.select(here), found, [
        f"{len(names):,} videos expected, {len(found):,} found; {len(missing):,} missing ({examples}) -> "
        f"{(~here).sum():,} of {len(here):,} clips left out"
    ]  # fmt: skip
