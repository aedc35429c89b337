from __future__ import annotations

from pathlib import Path

import pytest

from avdet.datasets.class_names import ClassNames
from avdet.datasets.dataset import require_data
from avdet.datasets.epic import (
    Epic,
    EpicConfig,
    participants,
    read_class_ids,
    read_epic,
    read_epic_classes,
    read_participants,
)
from tests.datasets.text_file import write_file

HEADER = "narration_id,video_id,start_timestamp,stop_timestamp,verb_class,noun_class\n"
CLASSES = {"verb": ClassNames((0, 1), ("take", "put")), "noun": ClassNames((0, 1), ("tap", "pan"))}


def epic(clip_sample: Path, **settings: object) -> Epic:
    folders = {"videos": clip_sample / "videos", "annotations": clip_sample / "annotations/epic"}
    return Epic(EpicConfig.model_validate({**folders, **settings}))


def test_segments_have_times_verbs_and_nouns(tmp_path: Path) -> None:
    rows = "P01_01_0,P01_01,00:00:01.50,00:01:02.25,1,0\nP01_01_1,P01_01,01:00:00,01:00:01,,1\n"
    segments, faults = read_epic(write_file(tmp_path, "val.csv", HEADER + rows), CLASSES)
    assert segments.start_s.tolist() == [1.5, 3600] and segments.end_s.tolist() == [62.25, 3601] and not faults
    assert segments.labels["verb"].tolist() == [1, -1] and segments.labels["noun"].tolist() == [0, 1]


def test_rows_without_a_valid_span_are_skipped_and_counted(tmp_path: Path) -> None:
    rows = "a,P01_01,00:00:05.0,00:00:04.0,1,0\nb,P01_01,,00:00:04.0,1,0\nc,P01_01,00:00:05.0,00:00:06.0,1,0\n"
    segments, faults = read_epic(write_file(tmp_path, "val.csv", HEADER + rows), CLASSES)
    assert segments.ids.tolist() == ["c"]
    assert faults == [
        "1 of 3 rows have no time (first: b); skipped",
        "1 of 2 rows end before they start (first: a); skipped",
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,P01_01,5.0,00:00:06,1,0\n", r"line 2: start_timestamp is '5\.0'; EPIC writes times as 00:01:02\.50"),
        (
            "a,P01_01,00:00:05,00:00:06,2,0\n",
            r"line 2: verb_class is 2, which is not one of the list's 2 classes, 0 to 1",
        ),
    ],
)
def test_invalid_rows_are_refused(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_epic(write_file(tmp_path, "val.csv", HEADER + row), CLASSES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,key\n0,take\n0,put\n", "gives id 0 to two classes"),
        ("id,key\n0,take\n1,take\n", "names two classes 'take'"),
        ("id,key\n", "lists no class"),
        ("id,key\nx,take\n", "line 2: id is 'x', not a number"),
        ("id,key\n0.5,take\n", "line 2: id is '0.5', not an id"),
        ("", "is empty"),
    ],
)
def test_invalid_class_lists_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_epic_classes(write_file(tmp_path, "verbs.csv", text))


def test_lists_of_subsets(tmp_path: Path) -> None:
    assert read_participants(write_file(tmp_path, "unseen.csv", "participant_id\nP18\nP32\n")) == ["P18", "P32"]
    with pytest.raises(ValueError, match="no column participant_id"):
        read_participants(write_file(tmp_path, "unseen.csv", "P18\nP32\n"))
    path = write_file(tmp_path, "many.csv", "verb_class,noun_class\n1,2\n3,4\n")
    assert read_class_ids(path, ["verb_class", "noun_class"]) == {(1, 2), (3, 4)}
    with pytest.raises(ValueError, match="line 2: verb is 'idling', not a number"):
        read_class_ids(write_file(tmp_path, "tail.csv", "verb\nidling\n"), ["verb"])


def test_subsets_hold_class_indices(tmp_path: Path) -> None:
    """The verb ids 5 and 9 are the class indices 0 and 1."""
    write_file(tmp_path, "verbs.csv", "id,key\n5,take\n9,put\n")
    write_file(tmp_path, "nouns.csv", "id,key\n0,tap\n1,pan\n")
    write_file(tmp_path, "tail.csv", "verb\n9\n")
    write_file(tmp_path, "many.csv", "verb_class,noun_class\n9,1\n5,0\n")
    lists = {"verb_classes": Path("verbs.csv"), "noun_classes": Path("nouns.csv"), "tail_verbs": Path("tail.csv")}
    absent = dict.fromkeys(("tail_nouns", "unseen_participants"), None)
    dataset = Epic(EpicConfig(annotations=tmp_path, many_shot_actions=Path("many.csv"), **lists, **absent))
    assert dataset._subsets.tail == {"verb": [1]}
    assert dataset._subsets.many_shot == {"action": [(0, 0), (1, 1)]}
    write_file(tmp_path, "tail.csv", "verb\n77\n")
    with pytest.raises(ValueError, match=r"tail\.csv lists the verb 77, which is not a class"):
        _ = Epic(dataset.config)._subsets


def test_val_participants_are_held_out_of_the_training_file(clip_sample: Path) -> None:
    data = epic(clip_sample, val_csv="missing.csv", val_participants=("P01",))
    val = data.read("val").segments
    assert set(participants(val)) == {"P01"} and set(val.labels) == {"verb", "noun"}
    with pytest.raises(ValueError, match="train: the annotations list no clip"):
        data.read("train")  # all training videos of the tiny sample are of that participant


def test_held_out_participants_replace_the_val_file(clip_sample: Path) -> None:
    """As in EPIC-55. The training file is required for val too: it defines which actions occur."""
    require_data(epic(clip_sample, val_csv="missing.csv", val_participants=("P01",)))
    with pytest.raises(ValueError, match=r"missing\.csv \(data\.val_csv\)"):
        require_data(epic(clip_sample, val_csv="missing.csv"))
    with pytest.raises(ValueError, match=r"missing\.csv \(data\.train_csv\)"):
        require_data(epic(clip_sample, train_csv="missing.csv"), ("val",))


def test_training_rows_without_a_class_are_skipped_and_counted(clip_sample: Path, tmp_path: Path) -> None:
    source = (clip_sample / "annotations/epic/EPIC_100_train.csv").read_text().splitlines()
    header, cells = source[0], source[1].split(",")
    cells[header.split(",").index("verb_class")] = ""
    for path in (clip_sample / "annotations/epic").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    write_file(tmp_path, "EPIC_100_train.csv", "\n".join([header, ",".join(cells), *source[2:]]) + "\n")
    data = epic(clip_sample, annotations=tmp_path)
    assert len(data.read("train").segments) == len(source) - 2
    with pytest.raises(ValueError, match=r"1 of .* rows have no class"):
        epic(clip_sample, annotations=tmp_path, require_all_videos=True).read("train")
    assert len(data.predicting(["noun"]).read("train").segments) == len(source) - 1


def test_a_model_of_nouns_alone_has_one_class_set(clip_sample: Path) -> None:
    assert list(epic(clip_sample, predict=("noun",)).class_sets()) == ["noun"]
