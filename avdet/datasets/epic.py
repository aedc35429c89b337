"""EPIC-Kitchens-55 and -100: verbs and nouns of segments of long, untrimmed videos."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from avdet.datasets.class_names import ClassNames
from avdet.datasets.classification import ClassificationConfig, ClassificationDataset, accuracy_by_class
from avdet.datasets.dataset import Split
from avdet.datasets.epic_metrics import EpicActions, EpicSubsets, epic_metrics, epic_submission
from avdet.datasets.metrics import Labels, Scores
from avdet.datasets.segments import Segments, Strings, keep_valid
from avdet.datasets.tables import line_of, numbers, read_table, whole_numbers
from avdet.datasets.video_files import VideoIndex

__all__ = [
    "Epic", "EpicConfig", "participants", "read_class_ids", "read_epic", "read_epic_classes", "read_participants",
]  # fmt: skip

ClassSet = Literal["verb", "noun"]


class EpicConfig(ClassificationConfig):
    """EPIC-Kitchens."""

    kind: Literal["epic"] = "epic"
    videos: Path = Field(Path("data/epic/videos"), description="Folder of the untrimmed videos.")
    annotations: Path = Field(Path("data/epic/annotations"), description="Folder of the annotation files.")
    train_csv: Path = Field(Path("EPIC_100_train.csv"), description="Training segments.")
    val_csv: Path = Field(Path("EPIC_100_validation.csv"), description="Validation segments.")
    verb_classes: Path = Field(Path("EPIC_100_verb_classes.csv"), description="Verb classes.")
    noun_classes: Path = Field(Path("EPIC_100_noun_classes.csv"), description="Noun classes.")
    val_participants: tuple[str, ...] = Field(
        (), description="Participants of `train_csv` that form the validation split; `val_csv` is then not read."
    )
    predict: tuple[ClassSet, ...] = Field(
        ("verb", "noun"), min_length=1, description="Class sets that the model predicts: both, or one per model."
    )
    unseen_participants: Path | None = Field(
        Path("EPIC_100_unseen_participant_ids_validation.csv"), description="Participants that are scored apart."
    )
    tail_verbs: Path | None = Field(Path("EPIC_100_tail_verbs.csv"), description="Rare verbs that are scored apart.")
    tail_nouns: Path | None = Field(Path("EPIC_100_tail_nouns.csv"), description="Rare nouns that are scored apart.")
    many_shot_verbs: Path | None = Field(None, description="Frequent verbs that are scored apart (EPIC-55).")
    many_shot_nouns: Path | None = Field(None, description="Frequent nouns that are scored apart (EPIC-55).")
    many_shot_actions: Path | None = Field(None, description="Frequent actions that are scored apart (EPIC-55).")


class Epic(ClassificationDataset[EpicConfig]):
    """Verbs and nouns on one network, or a network for each; actions are pairs of them."""

    Config = EpicConfig

    def files(self, split: Split) -> dict[str, Path]:
        names = [
            "verb_classes", "noun_classes", "train_csv", f"{split}_csv", "unseen_participants", "tail_verbs",
            "tail_nouns", "many_shot_verbs", "many_shot_nouns", "many_shot_actions",
        ]  # fmt: skip
        if self.config.val_participants:
            names = [name for name in names if name != "val_csv"]
        files = {f"data.{name}": getattr(self.config, name) for name in names}
        return {setting: self.config.annotations / file for setting, file in files.items() if file is not None}

    def benchmark_classes(self) -> dict[str, ClassNames]:
        return {name: self._classes(name) for name in self.config.predict}

    def read_segments(
        self, split: Split, classes: Mapping[str, ClassNames], videos: VideoIndex
    ) -> tuple[Segments, list[str]]:
        held_out = self.config.val_participants
        csv = self.config.train_csv if split == "train" or held_out else self.config.val_csv
        segments, faults = read_epic(self.config.annotations / csv, classes)
        if held_out:
            of_val = np.isin(participants(segments).astype(str), held_out)
            segments = segments.select(of_val if split == "val" else ~of_val)
        if split == "train":
            labelled = np.all([segments.labels[name] >= 0 for name in self.config.predict], axis=0)
            segments, unlabelled = keep_valid(segments, labelled, "have no class")
            faults = faults + unlabelled
        return segments, faults

    def load_metric_lists(self) -> None:
        _ = self._actions, self._subsets

    def measure(
        self, classes: Mapping[str, ClassNames], segments: Segments, scores: Mapping[str, Scores], annotated: Segments
    ) -> tuple[str, float | None, dict[str, Any]]:
        content = epic_metrics(scores, segments.labels, participants(segments), self._actions, self._subsets)
        content["accuracy"] = {
            name: accuracy_by_class(classes[name], labels, scores[name]) for name, labels in segments.labels.items()
        }
        main = "action" if "action" in content["all"] else next(iter(classes))
        return f"{main}_top1", content["all"][main]["top1"], content

    def predicting(self, class_sets: Collection[str]) -> Epic:
        predict = tuple(name for name in ("verb", "noun") if name in class_sets)
        return Epic(self.config.model_copy(update={"predict": predict}))

    def submission_form(self) -> str:
        return "the JSON file of the action recognition challenge"

    def submission(self, classes: Mapping[str, ClassNames], ids: Sequence[str], scores: Mapping[str, Scores]) -> str:
        if set(scores) != {"verb", "noun"}:
            raise ValueError(
                f"a submission needs scores of verbs and nouns, not of {list(scores)} alone; give both tables"
            )
        class_ids = {name: names.ids for name, names in classes.items()}
        path = self.config.annotations / (
            self.config.train_csv if self.config.val_participants else self.config.val_csv
        )
        version = "0.1" if _id_column(read_table(path, ()), path) == "uid" else "0.2"
        return json.dumps(epic_submission(ids, scores, class_ids, self._actions, version=version))

    @cached_property
    def _actions(self) -> EpicActions:
        """The pairs of verb and noun that occur in training; none if the model predicts only one of them."""
        labels = self.annotated("train", {})[0].labels
        if set(labels) != {"verb", "noun"}:
            return EpicActions(np.zeros((0, 2), np.int64))
        actions = EpicActions.occurring(labels["verb"], labels["noun"])
        if not len(actions.pairs):
            path = self.config.annotations / self.config.train_csv
            raise ValueError(f"{path} has no row with a verb and a noun; give EPIC's own file")
        return actions

    @cached_property
    def _subsets(self) -> EpicSubsets:
        """Raises ValueError for a list with an unknown class id."""
        config, unseen = self.config, None
        if config.unseen_participants is not None:
            unseen = read_participants(config.annotations / config.unseen_participants)
        tails = {"verb": config.tail_verbs, "noun": config.tail_nouns}
        tail = {name: [i for (i,) in self._listed(path, {name: name})] for name, path in tails.items() if path}
        many_shot: dict[str, list[Any]] = {}
        for name, path in {"verb": config.many_shot_verbs, "noun": config.many_shot_nouns}.items():
            if path is not None:
                many_shot[name] = [i for (i,) in self._listed(path, {name: f"{name}_class"})]
        if config.many_shot_actions is not None:
            columns = {"verb": "verb_class", "noun": "noun_class"}
            many_shot["action"] = self._listed(config.many_shot_actions, columns)
        return EpicSubsets(unseen, tail or None, many_shot or None)

    def _classes(self, name: str) -> ClassNames:
        files = {"verb": self.config.verb_classes, "noun": self.config.noun_classes}
        return read_epic_classes(self.config.annotations / files[name])

    def _listed(self, file: Path, columns: Mapping[str, str]) -> list[tuple[int, ...]]:
        """Class indices in a list of tail or many-shot classes. columns: the column of each class set."""
        path = self.config.annotations / file
        index = {name: {class_id: i for i, class_id in enumerate(self._classes(name).ids)} for name in columns}
        listed = sorted(read_class_ids(path, list(columns.values())))
        for name, *ids in zip(columns, *listed, strict=True):
            if unknown := set(ids) - index[name].keys():
                raise ValueError(
                    f"{path} lists the {name} {min(unknown)}, which is not a class; give the list of the same release"
                )
        return [tuple(index[name][i] for name, i in zip(columns, ids, strict=True)) for ids in listed]


def read_epic_classes(path: Path) -> ClassNames:
    """EPIC_*_{verb,noun}_classes.csv: 125 verbs and 352 nouns in EPIC-55, 97 and 300 in EPIC-100."""
    table = read_table(path, ())
    keys = "key" if "key" in table else "class_key"
    if keys not in table:
        raise ValueError(f"{path} has no column key or class_key; give EPIC's own list of classes")
    ids = whole_numbers(table, table.columns[0], path)
    if not ids or len(set(ids)) < len(ids):
        fault = f"gives id {max(ids, key=ids.count)} to two classes" if ids else "lists no class"
        raise ValueError(f"{path} {fault}; give EPIC's own list of classes")
    names = table[keys].tolist()
    if len(set(names)) < len(names):
        raise ValueError(f"{path} names two classes {max(names, key=names.count)!r}; give EPIC's own list of classes")
    return ClassNames.from_label_map(dict(zip(ids, names, strict=True)))


def read_epic(path: Path, classes: Mapping[str, ClassNames]) -> tuple[Segments, list[str]]:
    """Segments with labels of the class sets "verb" and "noun", -1 in files without labels.

    The second value has a sentence per kind of row that was skipped.
    """
    table = read_table(path, ("video_id", "start_timestamp", "stop_timestamp"))
    start_s, end_s = (_seconds(table, f"{edge}_timestamp", path) for edge in ("start", "stop"))
    labels = {name: _labels(table, name, names, path) for name, names in classes.items()}
    ids = table[_id_column(table, path)].to_numpy(object)
    segments = Segments(ids, table["video_id"].to_numpy(object), start_s, end_s, labels)
    timed = np.isfinite(start_s) & np.isfinite(end_s)
    segments, untimed = keep_valid(segments, timed, "have no time")
    segments, reversed_ = keep_valid(segments, segments.end_s > segments.start_s, "end before they start")
    return segments, untimed + reversed_


def participants(segments: Segments) -> Strings:
    """The participant of each segment: P01 of video P01_11."""
    return np.array([video.split("_")[0] for video in segments.videos], object)


def read_participants(path: Path) -> list[str]:
    """The participants in a file with a column participant_id."""
    return [str(name).strip() for name in read_table(path, ("participant_id",))["participant_id"]]


def _id_column(table: pd.DataFrame, path: Path) -> str:
    """narration_id in EPIC-100, uid in EPIC-55."""
    for name in ("narration_id", "uid"):
        if name in table:
            return name
    raise ValueError(f"{path} has neither a column narration_id nor uid; give EPIC's own file")


def read_class_ids(path: Path, columns: Sequence[str]) -> set[tuple[int, ...]]:
    """The ids in a list of tail or many-shot classes, such as (verb_class, noun_class)."""
    table = read_table(path, ())
    names = [name if name in table else name.removesuffix("_class") for name in columns]
    missing = [name for name in names if name not in table]
    if missing:
        raise ValueError(f"{path} has no column {missing[0]}; give EPIC's own list")
    return set(zip(*(whole_numbers(table, name, path) for name in names), strict=True))


def _labels(table: pd.DataFrame, name: str, classes: ClassNames, path: Path) -> Labels:
    column = f"{name}_class"
    if column not in table:
        return np.full(len(table), -1, np.int64)
    ids = numbers(table, column, path)
    index = pd.Index(classes.ids).get_indexer(pd.Index(ids))
    wrong = np.flatnonzero((index < 0) & ~np.isnan(ids))
    if len(wrong):
        raise ValueError(
            f"{path}, line {line_of(table, wrong[0])}: {column} is {ids[wrong[0]]:g}, which is not one of the list's "
            f"{len(classes)} classes, {min(classes.ids)} to {max(classes.ids)} ({len(wrong):,} such rows); "
            "give the list of the same release"
        )
    return index.astype(np.int64)


def _seconds(table: pd.DataFrame, column: str, path: Path) -> NDArray[np.float64]:
    """00:01:02.50 -> 62.5; NaN for an empty cell."""
    parts = table[column].str.extract(r"^(\d+):(\d\d?):(\d\d?(?:\.\d*)?)$").astype(float)
    seconds: NDArray[np.float64] = parts.to_numpy() @ np.array([3600.0, 60.0, 1.0])
    wrong = np.flatnonzero(np.isnan(seconds) & (table[column] != "").to_numpy())
    if len(wrong):
        value = table[column].iloc[wrong[0]]
        raise ValueError(
            f"{path}, line {line_of(table, wrong[0])}: {column} is {value!r}; EPIC writes times as 00:01:02.50"
        )
    return seconds
