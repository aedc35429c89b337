"""The sample world in the files of the classification benchmarks: the same acts, told as each of them tells."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avdet.synthetic.ava_files import write_rows
from avdet.synthetic.classes import CLASSES, LISTEN_ID, POSE_IDS, Look, action_ids
from avdet.synthetic.scene import Act, Scene

__all__ = ["NAMES", "NUM_SPLITS", "SOUND_DEFINED", "Take", "write_benchmark_files"]

NAMES: dict[tuple[Look, bool], str] = {
    ("clap", True): "clapping",
    ("clap", False): "miming clapping",
    ("drum", True): "drumming",
    ("drum", False): "miming drumming",
    ("mouth", True): "talking",
    ("mouth", False): "eating",
    ("wave", False): "waving",
    ("idle", False): "idling",
}
SOUND_DEFINED = tuple(name for (look, _), name in NAMES.items() if look in {"clap", "drum", "mouth"})
THINGS = ("nothing", "hands", "drum", "apple", "sandwich", "cup")
UNSEEN = "P90"  # the participant who cooks in val alone
NUM_SPLITS = 3


@dataclass(frozen=True)
class Take:
    """A scene as a video called `name`: P01_02 is the second one of the first participant."""

    name: str
    split: str
    scene: Scene

    @property
    def acts(self) -> tuple[Act, ...]:
        return self.scene.actors[0].acts

    def clip_names(self) -> list[tuple[str, Act]]:
        """Each act as a clip of its own, by the path that UCF101 would give it, without suffix."""
        return [
            (f"{camel(NAMES[act.look, act.heard])}/v_{camel(NAMES[act.look, act.heard])}_{self.name}_c{i:02d}", act)
            for i, act in enumerate(self.acts, start=1)
        ]


def camel(name: str) -> str:
    return name.title().replace(" ", "")


def thing(act: Act) -> str:
    """What a person handles, EPIC's noun."""
    snack = act.snack if act.snack in THINGS else "nothing"
    return {"clap": "hands", "drum": "drum", "mouth": snack, "wave": "hands", "idle": "nothing"}[act.look]


def write_benchmark_files(takes: Sequence[Take], folder: Path) -> None:
    """`folder/{kinetics,epic,charades,ucf101,hmdb51}`, each with the names and columns of its official files."""
    for write in (_kinetics, _epic, _charades, _ucf101, _hmdb51):
        place = folder / write.__name__.removeprefix("_")
        place.mkdir(parents=True, exist_ok=True)
        write(takes, place)


def _kinetics(takes: Sequence[Take], folder: Path) -> None:
    write_rows(folder / "label_map.txt", sorted(NAMES.values()))
    write_rows(folder / "kinetics_sounds_classes.txt", [name.replace(" ", "_") for name in SOUND_DEFINED])
    for split in ("train", "val"):
        rows = [
            [NAMES[act.look, act.heard], take.name, f"{act.start_s:g}", f"{act.end_s:g}", split]
            for take in takes if take.split == split for act in take.acts
        ]  # fmt: skip
        columns = ["label", "youtube_id", "time_start", "time_end", "split"]
        _write_csv(folder / f"kinetics_{split}.csv", columns, rows)


def _epic(takes: Sequence[Take], folder: Path) -> None:
    verbs, nouns = list(NAMES.values()), list(THINGS)
    for name, keys in (("verb", verbs), ("noun", nouns)):
        rows = [[i, key, f"['{key}']", "sample"] for i, key in enumerate(keys)]
        _write_csv(folder / f"EPIC_100_{name}_classes.csv", ["id", "key", "instances", "category"], rows)
    columns = ["narration_id", "participant_id", "video_id", "start_timestamp", "stop_timestamp", "verb",
               "verb_class", "noun", "noun_class"]  # fmt: skip
    for split, name in (("train", "train"), ("val", "validation")):
        rows = []
        for take in (take for take in takes if take.split == split):
            for i, act in enumerate(take.acts):
                verb, noun = NAMES[act.look, act.heard], thing(act)
                rows.append([f"{take.name}_{i}", take.name.split("_")[0], take.name, clock(act.start_s),
                             clock(act.end_s), verb, verbs.index(verb), noun, nouns.index(noun)])  # fmt: skip
        _write_csv(folder / f"EPIC_100_{name}.csv", columns, rows)
    _write_csv(folder / "EPIC_100_unseen_participant_ids_validation.csv", ["participant_id"], [[UNSEEN]])
    _write_csv(folder / "EPIC_100_tail_verbs.csv", ["verb"], [[verbs.index("idling")]])
    _write_csv(folder / "EPIC_100_tail_nouns.csv", ["noun"], [[nouns.index("apple")], [nouns.index("cup")]])


def clock(time_s: float) -> str:
    """62.5 is 00:01:02.50."""
    minutes, seconds = divmod(time_s, 60)
    return f"{int(minutes // 60):02d}:{int(minutes % 60):02d}:{seconds:05.2f}"


def _charades(takes: Sequence[Take], folder: Path) -> None:
    places = {one.id: i for i, one in enumerate(CLASSES)}
    write_rows(folder / "Charades_v1_classes.txt", [f"c{places[one.id]:03d} {one.name}" for one in CLASSES])
    for split, name in (("train", "train"), ("val", "test")):
        rows = []
        for take in (take for take in takes if take.split == split):
            spans = [
                (action_id, act.start_s, act.end_s)
                for act in take.acts for action_id in action_ids(act.pose, act.look, act.heard, music=False)
                if action_id not in POSE_IDS.values() or action_id == POSE_IDS["walk"]
            ]  # fmt: skip
            spans += [(LISTEN_ID, span.start_s, span.end_s) for span in take.scene.music]
            actions = ";".join(f"c{places[i]:03d} {start:.2f} {end:.2f}" for i, start, end in spans)
            rows.append([take.name, actions, f"{take.scene.duration_s:.2f}"])
        _write_csv(folder / f"Charades_v1_{name}.csv", ["id", "actions", "length"], rows)


def _tested(takes: Sequence[Take], split: int) -> list[tuple[Take, bool]]:
    """Every third video is tested in the first split, the next one in the second, and so on."""
    return [(take, i % NUM_SPLITS == split - 1) for i, take in enumerate(takes)]


def _ucf101(takes: Sequence[Take], folder: Path) -> None:
    names = sorted(map(camel, NAMES.values()))
    write_rows(folder / "classInd.txt", [f"{i} {name}" for i, name in enumerate(names, start=1)])
    for split in range(1, NUM_SPLITS + 1):
        clips = [(f"{clip}.mp4", tested) for take, tested in _tested(takes, split) for clip, _ in take.clip_names()]
        write_rows(folder / f"testlist{split:02d}.txt", [clip for clip, tested in clips if tested])
        numbered = [f"{clip} {names.index(clip.split('/')[0]) + 1}" for clip, tested in clips if not tested]
        write_rows(folder / f"trainlist{split:02d}.txt", numbered)


def _hmdb51(takes: Sequence[Take], folder: Path) -> None:
    for split in range(1, NUM_SPLITS + 1):
        rows: dict[str, list[str]] = {camel(name): [] for name in NAMES.values()}
        for take, tested in _tested(takes, split):
            for clip, _ in take.clip_names():
                place, name = clip.split("/")
                rows[place].append(f"{name}.mp4 {2 if tested else 1} ")
        for place, lines in rows.items():
            write_rows(folder / f"{place}_test_split{split}.txt", lines)


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
