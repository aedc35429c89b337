"""What every importer gives: one row a person and action, with boxes as shares of the frame and times in seconds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from avdet.annotations.importers.person_ids import person_ids, plain_names
from avdet.datasets.videos import VIDEO_SUFFIXES
from avdet.media.media_file import frame_times
from avdet.media.reader import VideoReader

__all__ = ["COLUMNS", "Videos", "cleaned", "finite", "joined", "shared_people", "to_rows"]

LAST_S = 1e6  # eleven days
OUTSIDE = 0.01  # of the frame; less is a hand that slipped
COLUMNS = ["video", "timestamp", "x1", "y1", "x2", "y2", "action", "person_id"]


class Videos:
    """The files that annotations speak of, by name with or without suffix."""

    def __init__(self, movies: Mapping[str, Path]) -> None:
        self.movies = movies
        self._places: dict[str, set[PurePosixPath]] = defaultdict(set)

    def name_of(self, name: str, source: Path) -> str:
        """The file's name without its suffix.

        Raises ValueError where there is no such file, or where it has been another's: a/3.mp4 is not b/3.mp4.
        """
        place = PurePosixPath(name.replace("\\", "/"))
        video = place.name if place.name in self.movies else place.stem
        if video not in self.movies:
            known = ", ".join(sorted(self.movies)[:3]) or "none"
            raise ValueError(f"{source} speaks of the video {name!r}, which is not in --videos (there: {known}, ...)")
        other = next((known for known in self._places[video] if not _may_be_one(known, place)), None)
        if other is not None:
            raise ValueError(
                f"{source} speaks of the video {name!r} beside {str(other)!r}, and both would be {video} of --videos; "
                "rename one, the file and where it is spoken of, or write both alike if they are one film"
            )
        self._places[video].add(place)
        return video

    @cache  # noqa: B019  (lives as long as the import)
    def size(self, video: str) -> tuple[int, int]:
        """Width and height in pixels, as players show it."""
        with VideoReader(self.movies[video]) as reader:
            return reader.info.width, reader.info.height

    def time_of(self, video: str, frame: object, source: str | Path) -> float:
        """Seconds at which a frame, counted from 0, appears. Raises ValueError where it is none of the video's."""
        times = self._times(video)
        (number,) = finite([frame], 1, f"{source}: a box's frame")
        if not (number.is_integer() and 0 <= number < len(times)):
            raise ValueError(
                f"{source} has a box on frame {frame} of {video}, which has {len(times)} frames (whole numbers "
                "from 0 on); is it another cut?"
            )
        return float(times[int(number)])

    @cache  # noqa: B019
    def _times(self, video: str) -> NDArray[np.float64]:
        return frame_times(self.movies[video])


def _may_be_one(place: PurePosixPath, other: PurePosixPath) -> bool:
    """Whether these lead to the same file, as 3, 3.mp4 and a/3.mp4 do: one may leave out folders and suffix."""
    ends = [path.with_suffix("") if path.suffix.lower() in VIDEO_SUFFIXES else path for path in (place, other)]
    shared = min(len(end.parts) for end in ends)
    return ends[0].parts[-shared:] == ends[1].parts[-shared:]


def finite(values: object, count: int, what: str) -> list[float]:
    """Raises ValueError unless these are that many finite numbers."""
    try:
        numbers = [float(value) for value in values]  # type: ignore[attr-defined]
    except (TypeError, ValueError, OverflowError):
        numbers = []
    if len(numbers) != count or not np.isfinite(numbers).all():
        plural = "s" * (count > 1)
        raise ValueError(f"{what} is {str(values)[:60]}, not {count} finite number{plural}; mend or remove it")
    return numbers


def to_rows(found: Iterable[Mapping[str, Any]], source: Path, left_out: Counter[str]) -> pd.DataFrame:
    """Records of COLUMNS as a table: `cleaned`."""
    return cleaned(pd.DataFrame(list(found), columns=COLUMNS), source, left_out)


def cleaned(table: pd.DataFrame, source: Path, left_out: Counter[str]) -> pd.DataFrame:
    """Boxes clipped to the frame, which is counted; those without any extent there are left out. People are names.

    Raises ValueError for swapped corners, names that are none and times that cannot be.
    """
    box = ["x1", "y1", "x2", "y2"]
    table[box] = table[box].astype(float)
    swapped = table[(table["x1"] > table["x2"]) | (table["y1"] > table["y2"])]
    if len(swapped):
        raise ValueError(
            f"{source}: video {swapped['video'].iloc[0]} has a box at second {swapped['timestamp'].iloc[0]} whose "
            f"first corner is not the upper left one ({len(swapped):,} such rows); boxes are x1, y1, x2, y2"
        )
    far = ((table[box] < -OUTSIDE) | (table[box] > 1.0 + OUTSIDE)).any(axis=1)
    left_out["parts of boxes outside their frame"] += int(far.sum())
    table[box] = table[box].clip(0.0, 1.0)
    table["action"] = table["action"].astype(str).str.strip()
    odd = table[table["action"].str.contains(r"[\n\r]|^\d+[\s:,]|^[\d.]*$", regex=True)]
    if len(odd):
        raise ValueError(
            f"{source}: {odd['action'].iloc[0]!r} is no name of an action (video {odd['video'].iloc[0]}, second "
            f"{odd['timestamp'].iloc[0]}); names are words on one line, without a number before them"
        )
    late = table[~table["timestamp"].astype(float).between(0.0, LAST_S)]
    if len(late):
        raise ValueError(
            f"{source}: video {late['video'].iloc[0]} has a label at second {late['timestamp'].iloc[0]}; times are "
            "seconds from the video's start, from 0 on: mend this row"
        )
    has_extent = (table["x1"] < table["x2"]) & (table["y1"] < table["y2"])
    left_out["rows without a box in their frame"] += int((~has_extent).sum())
    return table.assign(
        timestamp=table["timestamp"].astype(float).round(6), person_id=plain_names(table["person_id"], source)
    )[has_extent]


def joined(tables: Sequence[pd.DataFrame], left_out: Counter[str]) -> pd.DataFrame:
    """One table of several files', sorted, people numbered; what says the same of the same person stands once.

    Nobody's row says the same as that of somebody in the same box.
    """
    table = pd.concat(tables, ignore_index=True)
    said = ["video", "timestamp", "x1", "y1", "x2", "y2", "action"]
    nobody = table["person_id"] == ""
    known = pd.MultiIndex.from_frame(table.loc[~nobody, said])
    repeated = table.duplicated() | (nobody & pd.MultiIndex.from_frame(table[said]).isin(known))
    left_out["repeated rows"] += int(repeated.sum())
    table = table[~repeated].assign(person_id=lambda kept: person_ids(kept["person_id"]))
    return table.sort_values(["video", "timestamp", "person_id", "action"], kind="stable", ignore_index=True)


def shared_people(tables: Sequence[pd.DataFrame]) -> list[str]:
    """The videos of which several tables have somebody of one name, sorted."""
    people = [set(zip(table["video"], table["person_id"], strict=True)) for table in tables]
    counts = Counter(chain.from_iterable(people))
    return sorted({video for (video, person), count in counts.items() if person and count > 1})
