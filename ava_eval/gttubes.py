"""Ground truth of UCF101-24, JHMDB and MultiSports: `gttubes` pickles, in the format of ACT."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ava_eval.csv_format import FormatError
from ava_eval.csv_parser import quoted
from ava_eval.restricted_unpickler import restricted_load
from ava_eval.tube_arrays import FRAME_BITS, AnyArray, Tubes

_MAX_VALUE = 1e6  # of a coordinate
_PICKLE_STARTS = (b"\x80", b"(d", b"(l", b"}q", b"]q", b"cnumpy")
_USAGE = "give a pickle with labels, test_videos, resolution and gttubes, such as UCF101v2-GT.pkl"


@dataclass
class TubeTruth:
    """The ground truth of one split. Videos are numbered as in its list, classes as in `labels`, both from 0."""

    labels: list[str]
    videos: list[str]
    resolution: Mapping[str, Any]  # (height, width) in pixels of each video
    tubes: Tubes


def is_pickle(path: Path) -> bool:
    """Whether a regular file begins as a pickle of any protocol does."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(6).startswith(_PICKLE_STARTS)


def load_pickle(path: Path) -> Any:  # noqa: ANN401  (any content)
    """The content of a pickle of plain data and arrays. Raises FormatError for any other file."""
    try:
        return restricted_load(path)
    except ValueError as error:
        raise FormatError(f"{error}.") from None


def read_gttubes(path: Path, split: int | None) -> TubeTruth:
    """The test videos of split 1, 2, ...; None if the file has only one split."""
    content = load_pickle(path)
    labels = _entry(content, "labels", path, lambda entry: _is_names(entry) and len(entry) > 0)
    splits = _entry(
        content, "test_videos", path, lambda entry: isinstance(entry, list | tuple) and all(map(_is_names, entry))
    )
    gttubes = _entry(content, "gttubes", path, lambda entry: isinstance(entry, dict))
    if split is None and len(splits) > 1:
        raise FormatError(f"{path} has {len(splits)} splits; give --split, from 1 to {len(splits)}.")
    number = 1 if split is None else split
    if not 1 <= number <= len(splits):
        raise FormatError(f"{path} has no split {number}, only {len(splits)}; give another --split.")
    videos = list(splits[number - 1])
    if missing := [video for video in videos if not isinstance(gttubes.get(video), dict)]:
        raise FormatError(f"{path}: gttubes has no entry for the test video {quoted(missing[0])}; {_USAGE}.")
    arrays: list[AnyArray] = []
    video_of, class_of = [], []
    for index, video in enumerate(videos):
        for class_, array in _tubes_of(gttubes[video], len(labels), f"{path}, {quoted(video)}"):
            arrays.append(check_tube(array, f"{path}, {quoted(video)}"))
            video_of.append(index)
            class_of.append(class_)
    if not arrays:
        raise FormatError(f"{path} has no tubes in the test videos of this split; {_USAGE}.")
    resolution = content.get("resolution")
    tubes = Tubes.join(video_of, class_of, np.ones(len(arrays)), arrays)
    return TubeTruth(list(labels), videos, resolution if isinstance(resolution, dict) else {}, tubes)


def check_tube(array: object, where: str) -> AnyArray:
    """The array if it is a tube: columns frame, x1, y1, x2, y2 and any others, by ascending frame."""
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.shape[1] < 5 or len(array) == 0:
        shape = np.shape(array) if isinstance(array, np.ndarray) else type(array).__name__
        raise FormatError(f"{where}: a tube is {shape}; it must be an array (frames, 5): frame, x1, y1, x2, y2.")
    values = array[:, :5].astype(np.float64)
    frames = values[:, 0]
    if not (np.abs(values) <= np.array([1 << FRAME_BITS, *[_MAX_VALUE] * 4])).all():  # true for NaN
        raise FormatError(f"{where}: a tube holds NaN, Inf or a value beyond {_MAX_VALUE:g}; correct the file.")
    if not (frames == np.rint(frames)).all() or frames[0] < 0 or not (np.diff(frames) > 0).all():
        raise FormatError(f"{where}: a tube's frame numbers are not ascending whole numbers; sort the tube by frame.")
    return array


def class_index(key: object, num_classes: int, where: str) -> int:
    """A label index of a pickle as int."""
    if not isinstance(key, int | np.integer) or not 0 <= key < num_classes:
        raise FormatError(f"{where}: label index {quoted(str(key))} is not from 0 to {num_classes - 1}; correct it.")
    return int(key)


def _tubes_of(by_class: dict[Any, Any], num_classes: int, where: str) -> Iterator[tuple[int, object]]:
    for key, tubes in by_class.items():
        class_ = class_index(key, num_classes, where)
        if not isinstance(tubes, list | tuple):
            raise FormatError(f"{where}: label {class_} holds {type(tubes).__name__}, not a list of tubes; {_USAGE}.")
        for tube in tubes:
            yield class_, tube


def _is_names(entry: object) -> bool:
    return isinstance(entry, list | tuple) and all(isinstance(name, str) for name in entry)


def _entry(content: object, name: str, path: Path, is_valid: Callable[[Any], bool]) -> Any:  # noqa: ANN401
    if not isinstance(content, dict) or not is_valid(content.get(name)):
        raise FormatError(f"{path} has no valid {name!r}; {_USAGE}.")
    return content[name]
