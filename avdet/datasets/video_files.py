"""Which file a benchmark means: by its path below the folder of videos, or by its name alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import numpy as np

from avdet.datasets.segments import Segments
from avdet.datasets.videos import VIDEO_SUFFIXES, files_below, is_video

__all__ = ["VideoFiles", "find_video", "find_videos", "name_of", "with_video"]

Folders = tuple[str, ...]
VideoFiles: TypeAlias = Mapping[str, Sequence[tuple[Folders, Path]]]
"""By name without suffix; each with its folders below the folder of videos."""


def find_videos(folder: Path) -> VideoFiles:
    """Every video below `folder`."""
    found: dict[str, list[tuple[Folders, Path]]] = defaultdict(list)
    for path in filter(is_video, files_below(folder)):
        found[path.stem].append((_spelled(path.relative_to(folder).parts[:-1]), path))
    return dict(found)


def name_of(path: str) -> str:
    """What a list's `class/clip.avi` is called here: `class/clip`; other dots than the suffix's stay."""
    pure = PurePosixPath(path.replace("\\", "/"))
    return str(pure.with_suffix("")) if pure.suffix.lower() in VIDEO_SUFFIXES else str(pure)


def find_video(videos: VideoFiles, name: str) -> Path | None:
    """The one file that a list with no other clip of that name means; None where there is none, or more than one."""
    found = _meant(videos, name, alone=True)
    return found[0] if len(found) == 1 else None


def with_video(segments: Segments, videos: VideoFiles) -> tuple[Segments, dict[str, Path], list[str]]:
    """The segments whose file is there, the files, and sentences that count the others."""
    names = sorted(set(segments.videos))
    listed = Counter(PurePosixPath(name).name for name in names)
    meant = {name: _meant(videos, name, alone=listed[PurePosixPath(name).name] == 1) for name in names}
    files = {name: found[0] for name, found in meant.items() if len(found) == 1}
    missing = [name for name, found in meant.items() if not found]
    doubtful = [name for name, found in meant.items() if len(found) > 1]
    here, absent, unsure = (
        np.array([name in chosen for name in segments.videos], dtype=bool)
        for chosen in (files, set(missing), set(doubtful))
    )
    faults = []
    if missing:
        examples = ", ".join(missing[:3]) + ", ..." * (len(missing) > 3)
        faults.append(
            f"{len(names):,} videos expected, {len(names) - len(missing):,} found; {len(missing):,} missing "
            f"({examples}) -> {absent.sum():,} of {len(here):,} clips left out"
        )
    if doubtful:
        one, other = meant[doubtful[0]][:2]
        faults.append(
            f"{len(doubtful):,} videos may be one file or another ({doubtful[0]}: {one} or {other}) -> "
            f"{unsure.sum():,} of {len(here):,} clips left out; keep one of them, or write its folder into the list"
        )
    return segments.select(here), files, faults


def _meant(videos: VideoFiles, name: str, *, alone: bool) -> list[Path]:
    """The files that a list may mean.

    Those in the folders that the list writes (letter by letter, if any are), as far as both write any: a list's paths
    may begin elsewhere, as `/data/k400/`, or lie below more folders here. Where no folder agrees, the name decides if
    nothing else has it (alone: in the list).
    """
    if not name:
        return []
    *folders, stem = PurePosixPath(name).parts
    wanted, all_of_name = _spelled(folders), videos.get(stem, ())
    if exact := [path for own, path in all_of_name if own == wanted]:
        depth = len(folders)
        return [path for path in exact if list(path.parts[-1 - depth : -1]) == folders] or exact
    agreeing = [(own, path) for own, path in all_of_name if _agree(own, wanted)]
    if not agreeing:
        return [path for _, path in all_of_name] if alone and len(all_of_name) == 1 else []
    nearest = max(min(len(own), len(wanted)) for own, _ in agreeing)
    return [path for own, path in agreeing if min(len(own), len(wanted)) == nearest and (own or alone or not wanted)]


def _agree(one: Folders, other: Folders) -> bool:
    """Whether the shorter one is the end of the longer one."""
    shared = min(len(one), len(other))
    return one[len(one) - shared :] == other[len(other) - shared :]


def _spelled(folders: Sequence[str]) -> Folders:
    """Lists write the folder of a class with spaces or underscores, capitals or none."""
    return tuple(folder.replace("_", " ").casefold() for folder in folders)
