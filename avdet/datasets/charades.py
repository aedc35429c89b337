"""Charades v1: several actions per video, each with its start and end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from avdet.datasets.class_names import ClassNames
from avdet.datasets.classification import ClassificationConfig, ClassificationDataset
from avdet.datasets.dataset import Split
from avdet.datasets.metrics import Scores
from avdet.datasets.segments import Intervals, Segments
from avdet.datasets.tables import line_of, numbers, read_lines, read_table
from avdet.datasets.video_files import VideoIndex

__all__ = ["Charades", "CharadesConfig", "read_charades", "read_charades_classes"]


class CharadesConfig(ClassificationConfig):
    """Charades."""

    kind: Literal["charades"] = "charades"
    videos: Path = Field(Path("data/charades/videos"), description="Folder of the videos.")
    annotations: Path = Field(Path("data/charades/annotations"), description="Folder of the annotation files.")
    train_csv: Path = Field(Path("Charades_v1_train.csv"), description="Training videos.")
    val_csv: Path = Field(Path("Charades_v1_test.csv"), description="Test videos.")
    label_map: Path = Field(Path("Charades_v1_classes.txt"), description="Charades' list of classes.")
    test_aggregation: Literal["mean", "max"] = Field(
        "max", description="How the scores of a video's clips and crops are combined."
    )


class Charades(ClassificationDataset[CharadesConfig]):
    """Whole videos with several classes, scored by mAP as Charades' own script does."""

    Config = CharadesConfig

    @property
    def multilabel(self) -> bool:
        return True

    def files(self, split: Split) -> dict[str, Path]:
        files = {"data.label_map": self.config.label_map, f"data.{split}_csv": getattr(self.config, f"{split}_csv")}
        return {setting: self.config.annotations / file for setting, file in files.items()}

    def benchmark_classes(self) -> dict[str, ClassNames]:
        return {"action": read_charades_classes(self.config.annotations / self.config.label_map)}

    def read_segments(
        self, split: Split, classes: Mapping[str, ClassNames], videos: VideoIndex
    ) -> tuple[Segments, list[str]]:
        return read_charades(self.files(split)[f"data.{split}_csv"], classes["action"])

    def submission_form(self) -> str:
        return "the text file of Charades' evaluation script"

    def submission(self, classes: Mapping[str, ClassNames], ids: Sequence[str], scores: Mapping[str, Scores]) -> str:
        """A line per video: its id and the score of each class."""
        rows = (" ".join([name, *(f"{x:.9g}" for x in row)]) for name, row in zip(ids, scores["action"], strict=True))
        return "".join(f"{row}\n" for row in rows)


def read_charades_classes(path: Path) -> ClassNames:
    """Charades_v1_classes.txt: `c000 Holding some clothes` per line."""
    rows = [line.partition(" ") for line in read_lines(path)]
    wrong = [code for code, _, _ in rows if not (code[:1] == "c" and code[1:].isdigit())]
    if wrong:
        raise ValueError(f"{path} has a line that begins with {wrong[0]!r}; Charades' class list has `c000 Name`")
    codes = [int(code[1:]) for code, _, _ in rows]
    if not codes or len(set(codes)) < len(codes):
        fault = f"lists c{max(codes, key=codes.count):03d} twice" if codes else "lists no class"
        raise ValueError(f"{path} {fault}; give Charades' own list of classes")
    names = [name for _, _, name in rows]
    if len(set(names)) < len(names):
        raise ValueError(
            f"{path} names two classes {max(names, key=names.count)!r}; give Charades' own list of classes"
        )
    return ClassNames.from_label_map({code: name for code, (_, _, name) in zip(codes, rows, strict=True)})


def read_charades(path: Path, classes: ClassNames) -> tuple[Segments, list[str]]:
    """Whole videos with multi-hot labels and the interval of each action (`c077 12.10 18.00;...`).

    Videos without an action stay, because the benchmark scores them. The second value has a sentence on intervals that
    were skipped. Raises ValueError for an action that starts after its video's end, if there is a column `length`.
    """
    table = read_table(path, ("id", "actions"))
    lengths_s = numbers(table, "length", path) if "length" in table else np.full(len(table), np.nan)
    index = {class_id: i for i, class_id in enumerate(classes.ids)}
    labels = np.zeros((len(table), len(classes)), np.int64)
    rows: list[tuple[int, int, float, float]] = []
    reversed_: list[str] = []
    total = 0
    for number, (video, actions) in enumerate(zip(table["id"], table["actions"], strict=True)):
        for action in filter(None, map(str.strip, actions.split(";"))):
            total += 1
            class_id, start_s, end_s = _action(action, path, line_of(table, number))
            if class_id not in index:
                raise ValueError(
                    f"{path}, line {line_of(table, number)}: c{class_id:03d} is not one of the {len(classes)} classes; "
                    "give the list that belongs to it with data.label_map"
                )
            labels[number, index[class_id]] = 1
            if end_s < start_s:  # five in the official training file, which also start after the end of their video
                reversed_.append(str(video))
                continue
            if start_s > lengths_s[number]:  # False for an unknown length
                raise ValueError(
                    f"{path}, line {line_of(table, number)}: {action!r} starts after the end of its video, which lasts "
                    f"{lengths_s[number]:g} s; write times in seconds"
                )
            rows.append((number, index[class_id], start_s, end_s))
    segments = Segments.whole_videos(table["id"].to_numpy(object), {"action": labels}, _intervals(rows, len(table)))
    if not reversed_:
        return segments, []
    return segments, [
        f"{len(reversed_):,} of {total:,} actions end before they start (first: in {reversed_[0]}); their intervals "
        "are skipped"
    ]


def _intervals(rows: Sequence[tuple[int, int, float, float]], num_segments: int) -> Intervals:
    """rows: (segment, class, start, end), by segment."""
    columns = np.array(rows, dtype=np.float64).reshape(-1, 4)
    first = np.searchsorted(columns[:, 0], np.arange(num_segments + 1))
    return Intervals(first.astype(np.int64), columns[:, 1].astype(np.int64), columns[:, 2], columns[:, 3])


def _action(text: str, path: Path, line: int) -> tuple[int, float, float]:
    try:
        code, start, end = text.split()
        class_id, start_s, end_s = int(code.removeprefix("c")), float(start), float(end)
        if not (math.isfinite(start_s) and math.isfinite(end_s)):
            raise ValueError(text)
        return class_id, start_s, end_s
    except ValueError:
        raise ValueError(f"{path}, line {line}: {text!r} is not an action; Charades has `c077 12.10 18.00`") from None
