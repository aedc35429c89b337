"""Which file the annotations mean by a video's name."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import numpy as np

from avdet.datasets.segments import Segments
from avdet.media.file_names import VIDEO_SUFFIXES, is_hidden, is_video, nfc, strip_video_suffix, table_name
from avdet.media.frames_dir import is_frames_dir

__all__ = [
    "VIDEO_SUFFIXES", "VideoIndex", "files_below", "find_video", "index_videos", "is_video", "match_videos",
    "strip_video_suffix", "table_name", "videos_and_others", "videos_by_name",
]  # fmt: skip

Folders = tuple[str, ...]
VideoIndex: TypeAlias = Mapping[str, Sequence[tuple[Folders, Path]]]
"""Files by name without suffix, each with its folders below the folder of videos."""


def files_below(folder: Path) -> list[Path]:
    """All files below `folder` in order; links are followed, hidden files are skipped."""
    found: list[Path] = []
    visited: set[str] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        visited.add(os.path.realpath(root))
        folders[:] = [name for name in folders if os.path.realpath(Path(root, name)) not in visited]
        found += [Path(root, name) for name in files]
    return sorted(path for path in found if not is_hidden(path))


def videos_and_others(folder: Path) -> tuple[list[Path], list[Path]]:
    """(video files and folders of extracted frames below `folder`, all other files).

    Numbered images make a folder a video, unless it also holds video files. Its audio file counts as part of it.
    """
    files = files_below(folder)
    videos = list(filter(is_video, files))
    holders = {file.parent for file in files} - {video.parent for video in videos}
    frames = set(filter(is_frames_dir, holders))
    audio = {file for file in files for parent in frames if file.parent == parent.parent and file.stem == parent.name}
    others = [file for file in files if not is_video(file) and file.parent not in frames and file not in audio]
    return sorted([*videos, *frames]), others


def videos_by_name(folder: Path) -> dict[str, Path]:
    """Video files in `folder` and folders of extracted frames by their `table_name`; a file goes before a folder.

    Raises ValueError for two files with one name.
    """
    entries = sorted(folder.iterdir())
    frames = {table_name(path.name): path for path in entries if is_frames_dir(path)}
    files: dict[str, Path] = {}
    for path in entries:
        if not is_video(path) or not path.is_file():
            continue
        name = table_name(path.name)
        if name in files:
            other = files[name].name
            raise ValueError(f"{folder} has {other} and {path.name}, both named {name} in tables; keep only one")
        files[name] = path
    return frames | files


def index_videos(folder: Path) -> VideoIndex:
    """Every video and every folder of extracted frames below `folder`."""
    found: dict[str, list[tuple[Folders, Path]]] = defaultdict(list)
    for path in videos_and_others(folder)[0]:
        found[table_name(path.name)].append((_normalised(path.relative_to(folder).parts[:-1]), path))
    return dict(found)


def find_video(videos: VideoIndex, name: str) -> Path | None:
    """The file that a list with no other clip of that name means; None if there is none or more than one."""
    candidates = _candidates(videos, name, unique_in_list=True)
    return candidates[0] if len(candidates) == 1 else None


def match_videos(segments: Segments, videos: VideoIndex) -> tuple[Segments, dict[str, Path], list[str]]:
    """The segments whose file exists, the files by name, and sentences that count the others."""
    names = sorted(set(segments.videos))
    listed = Counter(PurePosixPath(name).name for name in names)
    candidates = {
        name: _candidates(videos, name, unique_in_list=listed[PurePosixPath(name).name] == 1) for name in names
    }
    files = {name: found[0] for name, found in candidates.items() if len(found) == 1}
    missing = [name for name, found in candidates.items() if not found]
    ambiguous = [name for name, found in candidates.items() if len(found) > 1]
    is_found, is_missing, is_ambiguous = (
        np.array([name in chosen for name in segments.videos], dtype=bool)
        for chosen in (files, set(missing), set(ambiguous))
    )
    faults = []
    if missing:
        examples = ", ".join(missing[:3]) + ", ..." * (len(missing) > 3)
        count = f"{len(names) - len(missing):,} found; {len(missing):,} missing"
        faults.append(
            f"{len(names):,} videos expected, {count if len(missing) < len(names) else 'none found'} "
            f"({examples}) -> {is_missing.sum():,} of {len(is_found):,} clips skipped"
        )
    if ambiguous:
        one, other = candidates[ambiguous[0]][:2]
        faults.append(
            f"{len(ambiguous):,} videos match several files ({ambiguous[0]}: {one} or {other}) -> "
            f"{is_ambiguous.sum():,} of {len(is_found):,} clips skipped; keep one file, or write its folder into the "
            "list"
        )
    return segments.select(is_found), files, faults


def _candidates(videos: VideoIndex, name: str, *, unique_in_list: bool) -> list[Path]:
    """The files that a list may mean by `name`.

    The folders of `name` must match the file's, as far as both have any: a list's paths may start elsewhere, as
    `/data/k400/`, or lie below further folders here. If no folder matches, the file name alone decides, provided that
    it is unique, on disk and in the list.
    """
    if not name:
        return []
    *folders, stem = PurePosixPath(nfc(name)).parts
    wanted, same_stem = _normalised(folders), videos.get(stem, ())
    if exact := [path for own, path in same_stem if own == wanted]:
        depth = len(folders)
        return [path for path in exact if [*map(nfc, path.parts[-1 - depth : -1])] == folders] or exact
    matching = [(own, path) for own, path in same_stem if _share_tail(own, wanted)]
    if not matching:
        return [path for _, path in same_stem] if unique_in_list and len(same_stem) == 1 else []
    deepest = max(min(len(own), len(wanted)) for own, _ in matching)
    return [
        path
        for own, path in matching
        if min(len(own), len(wanted)) == deepest and (own or unique_in_list or not wanted)
    ]


def _share_tail(one: Folders, other: Folders) -> bool:
    """Whether the shorter path is the end of the longer one."""
    shared = min(len(one), len(other))
    return one[len(one) - shared :] == other[len(other) - shared :]


def _normalised(folders: Sequence[str]) -> Folders:
    """One spelling of class folders: lists differ in case, spaces and underscores."""
    return tuple(nfc(folder).replace("_", " ").casefold() for folder in folders)
