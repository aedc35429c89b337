"""The classification sample set in the annotation files of each classification benchmark."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from avdet.synthetic.ava_files import write_rows
from avdet.synthetic.classes import AUDIO_DEPENDENT_GESTURES, CLASSES, LISTEN_ID, POSE_IDS, Gesture, action_ids
from avdet.synthetic.scene import ActionSegment, Scene

__all__ = [
    "ACTION_NAMES",
    "AUDIO_DEPENDENT_CLASSES",
    "NUM_SPLITS",
    "SampleVideo",
    "camel_case",
    "write_benchmark_files",
]

# (gesture, audible) -> class name
ACTION_NAMES: dict[tuple[Gesture, bool], str] = {
    ("clap", True): "clapping",
    ("clap", False): "miming clapping",
    ("drum", True): "drumming",
    ("drum", False): "miming drumming",
    ("mouth", True): "talking",
    ("mouth", False): "eating",
    ("wave", False): "waving",
    ("idle", False): "idling",
}
AUDIO_DEPENDENT_CLASSES = tuple(
    name for (gesture, _), name in ACTION_NAMES.items() if gesture in AUDIO_DEPENDENT_GESTURES
)
NOUNS = ("nothing", "hands", "drum", "apple", "sandwich", "cup")
UNSEEN_PARTICIPANT = "P90"  # occurs in val only
NUM_SPLITS = 3


@dataclass(frozen=True)
class SampleVideo:
    """A scene as the video `name`; P01_02 is the second video, of participant P01."""

    name: str
    split: str
    scene: Scene

    @property
    def segments(self) -> tuple[ActionSegment, ...]:
        """The action segments of the video's only person."""
        return self.scene.actors[0].segments

    def clips(self) -> list[tuple[str, ActionSegment]]:
        """Returns (path, segment) for each action segment; the path is UCF101's, without a suffix."""
        classes = [camel_case(action_name(segment)) for segment in self.segments]
        return [
            (f"{name}/v_{name}_{self.name}_c{i:02d}", segment)
            for i, (name, segment) in enumerate(zip(classes, self.segments, strict=True), start=1)
        ]


def action_name(segment: ActionSegment) -> str:
    """Returns the segment's class name."""
    return ACTION_NAMES[segment.gesture, segment.audible]


def noun(segment: ActionSegment) -> str:
    """Returns the object that the person handles, EPIC's noun."""
    snack = segment.snack if segment.snack in NOUNS else "nothing"
    return {"clap": "hands", "drum": "drum", "mouth": snack, "wave": "hands", "idle": "nothing"}[segment.gesture]


def camel_case(name: str) -> str:
    """Returns "miming clapping" as "MimingClapping", the form of UCF101."""
    return name.title().replace(" ", "")


def clock_time(time_s: float) -> str:
    """Returns seconds as HH:MM:SS.ss; 62.5 is 00:01:02.50."""
    minutes, seconds = divmod(time_s, 60)
    return f"{int(minutes // 60):02d}:{int(minutes % 60):02d}:{seconds:05.2f}"


def write_benchmark_files(videos: Sequence[SampleVideo], folder: Path) -> None:
    """Writes `folder/{kinetics,epic,charades,ucf101,hmdb51,ssv2}` as the official files."""
    for benchmark, write in WRITERS.items():
        (folder / benchmark).mkdir(parents=True, exist_ok=True)
        write(videos, folder / benchmark)


def _write_kinetics(videos: Sequence[SampleVideo], folder: Path) -> None:
    write_rows(folder / "label_map.txt", sorted(ACTION_NAMES.values()))
    write_rows(folder / "kinetics_sounds_classes.txt", [name.replace(" ", "_") for name in AUDIO_DEPENDENT_CLASSES])
    for split in ("train", "val"):
        rows = [
            [action_name(segment), video.name, f"{segment.start_s:g}", f"{segment.end_s:g}", split]
            for video in videos if video.split == split for segment in video.segments
        ]  # fmt: skip
        columns = ["label", "youtube_id", "time_start", "time_end", "split"]
        _write_csv(folder / f"kinetics_{split}.csv", columns, rows)


def _write_epic(videos: Sequence[SampleVideo], folder: Path) -> None:
    verbs, nouns = list(ACTION_NAMES.values()), list(NOUNS)
    for name, keys in (("verb", verbs), ("noun", nouns)):
        rows = [[i, key, f"['{key}']", "sample"] for i, key in enumerate(keys)]
        _write_csv(folder / f"EPIC_100_{name}_classes.csv", ["id", "key", "instances", "category"], rows)
    columns = ["narration_id", "participant_id", "video_id", "start_timestamp", "stop_timestamp", "verb",
               "verb_class", "noun", "noun_class"]  # fmt: skip
    for split, name in (("train", "train"), ("val", "validation")):
        rows = []
        for video in (video for video in videos if video.split == split):
            for i, segment in enumerate(video.segments):
                verb_name, noun_name = action_name(segment), noun(segment)
                rows.append([f"{video.name}_{i}", video.name.split("_")[0], video.name, clock_time(segment.start_s),
                             clock_time(segment.end_s), verb_name, verbs.index(verb_name), noun_name,
                             nouns.index(noun_name)])  # fmt: skip
        _write_csv(folder / f"EPIC_100_{name}.csv", columns, rows)
    unseen = [[UNSEEN_PARTICIPANT]]
    _write_csv(folder / "EPIC_100_unseen_participant_ids_validation.csv", ["participant_id"], unseen)
    _write_csv(folder / "EPIC_100_tail_verbs.csv", ["verb"], [[verbs.index("idling")]])
    _write_csv(folder / "EPIC_100_tail_nouns.csv", ["noun"], [[nouns.index("apple")], [nouns.index("cup")]])


def _write_charades(videos: Sequence[SampleVideo], folder: Path) -> None:
    class_index = {one.id: i for i, one in enumerate(CLASSES)}
    write_rows(folder / "Charades_v1_classes.txt", [f"c{class_index[one.id]:03d} {one.name}" for one in CLASSES])
    for split, name in (("train", "train"), ("val", "test")):
        rows = []
        for video in (video for video in videos if video.split == split):
            actions = [
                (action_id, segment.start_s, segment.end_s)
                for segment in video.segments
                for action_id in action_ids(segment.pose, segment.gesture, segment.audible, music=False)
                if action_id not in POSE_IDS.values() or action_id == POSE_IDS["walk"]
            ]
            actions += [(LISTEN_ID, interval.start_s, interval.end_s) for interval in video.scene.music]
            fields = [f"c{class_index[action_id]:03d} {start:.2f} {end:.2f}" for action_id, start, end in actions]
            rows.append([video.name, ";".join(fields), f"{video.scene.duration_s:.2f}"])
        _write_csv(folder / f"Charades_v1_{name}.csv", ["id", "actions", "length"], rows)


def _with_test_flag(videos: Sequence[SampleVideo], split: int) -> list[tuple[SampleVideo, bool]]:
    """(video, whether it is a test video): split 1 tests videos 1, 4, 7 ..., split 2 videos 2, 5, 8 ..."""
    return [(video, i % NUM_SPLITS == split - 1) for i, video in enumerate(videos)]


def _write_ucf101(videos: Sequence[SampleVideo], folder: Path) -> None:
    names = sorted(map(camel_case, ACTION_NAMES.values()))
    write_rows(folder / "classInd.txt", [f"{i} {name}" for i, name in enumerate(names, start=1)])
    for split in range(1, NUM_SPLITS + 1):
        clips = [
            (f"{path}.mp4", is_test) for video, is_test in _with_test_flag(videos, split) for path, _ in video.clips()
        ]
        write_rows(folder / f"testlist{split:02d}.txt", [path for path, is_test in clips if is_test])
        numbered = [f"{path} {names.index(path.split('/')[0]) + 1}" for path, is_test in clips if not is_test]
        write_rows(folder / f"trainlist{split:02d}.txt", numbered)


def _write_hmdb51(videos: Sequence[SampleVideo], folder: Path) -> None:
    for split in range(1, NUM_SPLITS + 1):
        rows: dict[str, list[str]] = {camel_case(name): [] for name in ACTION_NAMES.values()}
        for video, is_test in _with_test_flag(videos, split):
            for path, _ in video.clips():
                class_name, file_name = path.split("/")
                rows[class_name].append(f"{file_name}.mp4 {2 if is_test else 1} ")
        for class_name, lines in rows.items():
            write_rows(folder / f"{class_name}_test_split{split}.txt", lines)


def _write_ssv2(videos: Sequence[SampleVideo], folder: Path) -> None:
    names = sorted(ACTION_NAMES.values())
    _write_json(folder / "labels.json", {name: str(i) for i, name in enumerate(names)})
    for split, file in (("train", "train"), ("val", "validation")):
        clips = [
            {"id": path.split("/")[1], "template": action_name(segment)}
            for video in videos if video.split == split for path, segment in video.clips()
        ]  # fmt: skip
        _write_json(folder / f"{file}.json", clips)


WRITERS: Mapping[str, Callable[[Sequence[SampleVideo], Path], None]] = {
    "kinetics": _write_kinetics,
    "epic": _write_epic,
    "charades": _write_charades,
    "ucf101": _write_ucf101,
    "hmdb51": _write_hmdb51,
    "ssv2": _write_ssv2,
}


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=0), encoding="utf-8", newline="\n")
