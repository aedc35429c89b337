"""Small files by hand: every form that is understood, and what is said where a file is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdet.datasets.charades import read_charades, read_charades_classes
from avdet.datasets.class_folders import read_class_folders, read_folder_names
from avdet.datasets.class_names import ClassNames, normalised_name, read_class_list
from avdet.datasets.epic import Epic, EpicConfig, read_class_ids, read_epic, read_epic_classes, read_participants
from avdet.datasets.hmdb51 import read_hmdb51, read_hmdb51_classes
from avdet.datasets.kinetics import read_kinetics, select_classes, subset_classes
from avdet.datasets.segments import drop_duplicate_ids
from avdet.datasets.ucf101 import read_ucf101, read_ucf101_classes
from avdet.datasets.video_files import find_video, index_videos, match_videos, strip_video_suffix

CLASSES = ClassNames((0, 1, 2), ("air drumming", "yoga", "zumba"))
KINETICS = "label,youtube_id,time_start,time_end,split\n"
EPIC = "narration_id,video_id,start_timestamp,stop_timestamp,verb_class,noun_class\n"
VERBS = {"verb": ClassNames((0, 1), ("take", "put")), "noun": ClassNames((0, 1), ("tap", "pan"))}


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_trimmed_file_is_the_clip_and_an_untrimmed_one_holds_it(tmp_path: Path) -> None:
    path = write(
        tmp_path, "val.csv", KINETICS + '"Air_Drumming",abc,417,427,val\nyoga,d-e,3.5,6,val\nzumba,x,1,2,val\n'
    )
    videos = {name: [((), Path())] for name in ("abc_000417_000427", "abc", "d-e")}
    segments, faults = read_kinetics(path, CLASSES, videos)
    assert segments.videos.tolist() == ["abc_000417_000427", "d-e", "x_000001_000002"] and not faults
    assert segments.start_s.tolist() == [0, 3.5, 0] and segments.end_s.tolist() == [np.inf, 6, np.inf]
    assert segments.labels["action"].tolist() == [0, 1, 2]


def test_lists_of_paths_and_labels(tmp_path: Path) -> None:
    text = "yoga/a b.mp4 1\nzumba/c,d.mp4 , 2\n\nflat.one.mkv\tzumba\n"
    text += '"e f.AVI" air drumming\ng.mp4,"air drumming"\nh i 1\n'
    segments, _ = read_kinetics(write(tmp_path, "list.txt", text), CLASSES, {})
    assert segments.videos.tolist() == ["yoga/a b", "zumba/c,d", "flat.one", "e f", "g", "h i"]
    assert segments.labels["action"].tolist() == [1, 2, 2, 0, 0, 1]


def test_a_subset_by_name_in_either_spelling(tmp_path: Path) -> None:
    assert normalised_name("Air_Drumming") == normalised_name("air drumming ")
    subset = subset_classes(write(tmp_path, "sounds.txt", "zumba\nair_drumming\n"), CLASSES)
    assert subset.names == ("zumba", "air drumming")
    segments, _ = read_kinetics(write(tmp_path, "list.txt", "a 0\nb 1\nc 2\n"), CLASSES, {})
    chosen = select_classes(segments, CLASSES, subset)
    assert chosen.videos.tolist() == ["a", "c"] and chosen.labels["action"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (KINETICS + "yogaa,abc,1,2,val\n", r"1 classes .* 1 rows: 'yogaa'; did you mean 'yoga'\?"),
        (KINETICS + "yoga,abc,one,2,val\n", r"line 2: time_start is 'one', not a number"),
        ("label,youtube_id\n", "no column time_start"),
        ("a 3\n", r"line 1: class 3 is not in 0\.\.2"),
        ("a 1\nlonely\n", "line 2: 'lonely' is not a path with a label"),
    ],
)
def test_what_is_wrong_in_kinetics_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_kinetics(write(tmp_path, "val.csv", text), CLASSES, {})


def test_a_clip_that_ends_before_it_starts_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path, "val.csv", KINETICS + "yoga,abc,10,10,val\nyoga,d,1,11,val\n")
    segments, faults = read_kinetics(path, CLASSES, {})
    assert segments.ids.tolist() == ["d_000001_000011"]
    assert faults == ["1 of 2 rows end before they start (first: abc_000010_000010); skipped"]


def test_a_clip_without_a_time_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path, "val.csv", KINETICS + "yoga,abc,,10,val\nyoga,d,-5,-3,val\nyoga,e,1,11,val\n")
    segments, faults = read_kinetics(path, CLASSES, {})
    assert segments.ids.tolist() == ["e_000001_000011"]
    assert faults == ["2 of 3 rows have no time, or a negative one (first: abc_none_000010); skipped"]


def test_clips_between_seconds_have_names_of_their_own(tmp_path: Path) -> None:
    path = write(tmp_path, "val.csv", KINETICS + "yoga,abc,1,1.3,val\nyoga,abc,1.2,1.4,val\n")
    segments, _ = read_kinetics(path, CLASSES, {})
    assert segments.ids.tolist() == ["abc_000001_000001.300", "abc_000001.200_000001.400"]


def test_a_clip_that_is_listed_again_is_left_out_and_counted(tmp_path: Path) -> None:
    segments, _ = read_kinetics(write(tmp_path, "list.txt", "a 1\nb 0\na 1\nb 2\na 1\n"), CLASSES, {})
    kept, faults = drop_duplicate_ids(segments)
    assert kept.ids.tolist() == ["a", "b"] and kept.labels["action"].tolist() == [1, 0]
    assert faults == ["3 of 5 rows repeat an id, 1 of them with another label (first: a); skipped"]
    assert drop_duplicate_ids(kept) == (kept, [])


def test_class_lists_name_each_class_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one class twice, as 'a_b' and 'A b'"):
        read_class_list(write(tmp_path, "names.txt", "a_b\nA b\n"))
    with pytest.raises(ValueError, match="one class twice, as 'a' and 'a'"):
        read_class_list(write(tmp_path, "names.txt", "a\nb\na\n"))
    with pytest.raises(ValueError, match="lists no class"):
        read_class_list(write(tmp_path, "names.txt", "\n"))


def test_epic_rows_are_cut_by_time(tmp_path: Path) -> None:
    rows = "P01_01_0,P01_01,00:00:01.50,00:01:02.25,1,0\nP01_01_1,P01_01,01:00:00,01:00:01,,1\n"
    segments, faults = read_epic(write(tmp_path, "val.csv", EPIC + rows), VERBS)
    assert segments.start_s.tolist() == [1.5, 3600] and segments.end_s.tolist() == [62.25, 3601] and not faults
    assert segments.labels["verb"].tolist() == [1, -1] and segments.labels["noun"].tolist() == [0, 1]


def test_epic_rows_without_sense_are_counted(tmp_path: Path) -> None:
    rows = "a,P01_01,00:00:05.0,00:00:04.0,1,0\nb,P01_01,,00:00:04.0,1,0\nc,P01_01,00:00:05.0,00:00:06.0,1,0\n"
    segments, faults = read_epic(write(tmp_path, "val.csv", EPIC + rows), VERBS)
    assert segments.ids.tolist() == ["c"]
    assert faults == [
        "1 of 3 rows have no time (first: b); skipped",
        "1 of 2 rows end before they start (first: a); skipped",
    ]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("a,P01_01,5.0,00:00:06,1,0\n", r"line 2: start_timestamp is '5\.0'; EPIC writes times as 00:01:02\.50"),
        (
            "a,P01_01,00:00:05,00:00:06,2,0\n",
            r"line 2: verb_class is 2, which is not one of the list's 2 classes, 0 to 1",
        ),
    ],
)
def test_what_is_wrong_in_epic_is_named(tmp_path: Path, row: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_epic(write(tmp_path, "val.csv", EPIC + row), VERBS)


def test_charades_actions_have_times(tmp_path: Path) -> None:
    classes = read_charades_classes(write(tmp_path, "classes.txt", "c000 Holding\nc001 Putting\nc002 Taking\n"))
    rows = "A,c000 1.0 2.0;c002 5.0 9.5,12\nB,,7\nC,c001 3.0 2.0,4\n"
    segments, faults = read_charades(write(tmp_path, "test.csv", "id,actions,length\n" + rows), classes)
    assert segments.labels["action"].tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert faults == ["1 of 3 actions end before they start (first: in C); their intervals are skipped"]
    assert [segments.labels_at(0, *span)["action"].tolist() for span in ((0, 1), (1.5, 6), (9.4, 20))] == [
        [0, 0, 0], [1, 0, 1], [0, 0, 1]]  # fmt: skip
    later = segments.select(np.array([False, True, True]))
    assert later.labels_at(1, 0, 9)["action"].tolist() == [0, 0, 0]


def test_charades_own_training_file_has_actions_that_end_before_they_start_and_begin_after_the_end(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path, "train.csv", "id,actions,length\nLEOL6,c000 18.00 10.00;c000 0.0 4.0; ,8.96\n,,\n,c000 1 2,9\n"
    )
    segments, faults = read_charades(path, ClassNames((0,), ("hold",)))
    assert segments.ids.tolist() == ["LEOL6", ""] and segments.labels["action"].tolist() == [[1], [1]]
    assert faults == ["1 of 3 actions end before they start (first: in LEOL6); their intervals are skipped"]


@pytest.mark.parametrize(
    ("actions", "sentence"),
    [
        ("c000", "is not an action"),
        ("c009 1 2", "c009 is not one of the 1"),
        ("c000 nan 2", "is not an action"),
        ("c000 1000 2000", "line 2: 'c000 1000 2000' starts after the end of its video, which lasts 9.5 s; .* seconds"),
    ],
)
def test_what_is_wrong_in_charades_is_named(tmp_path: Path, actions: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_charades(write(tmp_path, "t.csv", f"id,actions,length\nA,{actions},9.5\n"), ClassNames((0,), ("hold",)))


def test_lists_of_classes_that_contradict_themselves(tmp_path: Path) -> None:
    for text, sentence in (
        ("c000 Hold\nc000 Put\n", "lists c000 twice"),
        ("c000 Hold\nc001 Hold\n", "names two classes 'Hold'"),
        ("\n", "lists no class"),
    ):
        with pytest.raises(ValueError, match=sentence):
            read_charades_classes(write(tmp_path, "classes.txt", text))
    for text, sentence in (("1 Yoga\n2 Yoga\n", "lists 'Yoga' twice"), ("", "lists no class")):
        write(tmp_path, "classInd.txt", text)
        with pytest.raises(ValueError, match=sentence):
            read_ucf101_classes(tmp_path)
    for text, sentence in (
        ("id,key\n0,take\n0,put\n", "gives id 0 to two classes"),
        ("id,key\n0,take\n1,take\n", "names two classes 'take'"),
        ("id,key\n", "lists no class"),
        ("id,key\nx,take\n", "line 2: id is 'x', not a number"),
        ("id,key\n0.5,take\n", "line 2: id is '0.5', not an id"),
        ("", "is empty"),
    ):
        with pytest.raises(ValueError, match=sentence):
            read_epic_classes(write(tmp_path, "verbs.csv", text))


def test_what_epic_scores_apart(tmp_path: Path) -> None:
    assert read_participants(write(tmp_path, "unseen.csv", "participant_id\nP18\nP32\n")) == ["P18", "P32"]
    with pytest.raises(ValueError, match="no column participant_id"):
        read_participants(write(tmp_path, "unseen.csv", "P18\nP32\n"))
    path = write(tmp_path, "many.csv", "verb_class,noun_class\n1,2\n3,4\n")
    assert read_class_ids(path, ["verb_class", "noun_class"]) == {(1, 2), (3, 4)}
    with pytest.raises(ValueError, match="line 2: verb is 'idling', not a number"):
        read_class_ids(write(tmp_path, "tail.csv", "verb\nidling\n"), ["verb"])


def test_epic_lists_are_of_its_classes(tmp_path: Path) -> None:
    """Ids 5 and 9 are the classes 0 and 1."""
    write(tmp_path, "verbs.csv", "id,key\n5,take\n9,put\n")
    write(tmp_path, "nouns.csv", "id,key\n0,tap\n1,pan\n")
    write(tmp_path, "tail.csv", "verb\n9\n")
    write(tmp_path, "many.csv", "verb_class,noun_class\n9,1\n5,0\n")
    lists = {"verb_classes": Path("verbs.csv"), "noun_classes": Path("nouns.csv"), "tail_verbs": Path("tail.csv")}
    none = dict.fromkeys(("tail_nouns", "unseen_participants"), None)
    dataset = Epic(EpicConfig(annotations=tmp_path, many_shot_actions=Path("many.csv"), **lists, **none))
    found = dataset._subsets
    assert found.tail == {"verb": [1]} and found.many_shot == {"action": [(0, 0), (1, 1)]}
    write(tmp_path, "tail.csv", "verb\n77\n")
    with pytest.raises(ValueError, match=r"tail\.csv lists the verb 77, which is not a class"):
        _ = Epic(dataset.config)._subsets


def test_what_spreadsheets_make_of_a_list(tmp_path: Path) -> None:
    """Columns in another order, an empty row, a row without a video."""
    text = "time_start,time_end,youtube_id,label\n1,2,abc,yoga\n,,,\n3,4,,zumba\n"
    segments, faults = read_kinetics(write(tmp_path, "val.csv", text), CLASSES, {"abc": [((), Path()), ((), Path())]})
    assert segments.videos.tolist() == ["abc", ""] and segments.labels["action"].tolist() == [1, 2] and not faults
    assert find_video({}, "") is None


def test_ucf101_lists_with_other_paths(tmp_path: Path) -> None:
    write(tmp_path, "trainlist01.txt", "/data/UCF/yoga/v 1.avi 2\nyoga\\v2.avi 2\n./zumba/v3.avi\t3\n")
    segments = read_ucf101(tmp_path, 1, "train", CLASSES)
    assert segments.labels["action"].tolist() == [1, 1, 2]
    assert [Path(video).name for video in segments.videos] == ["v 1", "v2", "v3"]


def test_any_folder_of_classes(tmp_path: Path) -> None:
    for name in ("train/jump/a.mp4", "train/run/deep/b.mkv", "train/run/notes.txt", "val/run/c.mp4"):
        write(tmp_path, name, "")
    classes = read_folder_names(tmp_path / "train")
    assert classes.names == ("jump", "run")
    (train, faults), (val, others) = (read_class_folders(tmp_path, Path(split), classes) for split in ("train", "val"))
    notes = f"(.txt; first: {tmp_path / 'train/run/notes.txt'})"
    assert faults == [f"1 files in {tmp_path / 'train'} do not have a video's name {notes}; skipped"]
    assert others == [f"1 of 2 classes have no video in {tmp_path / 'val'}, such as jump"]
    assert train.videos.tolist() == ["train/jump/a", "train/run/deep/b"] and train.labels["action"].tolist() == [0, 1]
    assert val.labels["action"].tolist() == [1]
    assert find_video(index_videos(tmp_path), "val/run/c") == tmp_path / "val/run/c.mp4"
    write(tmp_path, "val/e.mp4", "")
    _, others = read_class_folders(tmp_path, Path("val"), classes)
    assert others[-1] == f"1 videos lie outside the class folders, such as {tmp_path / 'val/e.mp4'}; skipped"
    write(tmp_path, "val/.git/x", "")
    assert read_folder_names(tmp_path / "val").names == ("run",)
    write(tmp_path, "val/run/c.avi", "")
    with pytest.raises(ValueError, match=r"run/c: c\.avi and c\.mp4 differ only in their suffix"):
        read_class_folders(tmp_path, Path("val"), classes)
    write(tmp_path, "val/swim/d.mp4", "")
    with pytest.raises(ValueError, match="class 'swim', which training does not have"):
        read_class_folders(tmp_path, Path("val"), classes)
    with pytest.raises(ValueError, match="has no class folder"):
        read_folder_names(tmp_path / "nowhere")


def test_every_split_of_hmdb51_has_the_same_classes(tmp_path: Path) -> None:
    for name in ("wave_test_split1.txt", "walk_test_split1.txt", "walk_test_split2.txt"):
        write(tmp_path, name, "a.avi 1\n")
    assert read_hmdb51_classes(tmp_path, 1).names == ("walk", "wave")
    with pytest.raises(
        ValueError, match=r"lacks the lists of split 2 of 1 of 2 classes, such as wave_test_split2\.txt"
    ):
        read_hmdb51_classes(tmp_path, 2)


def test_lists_that_contradict_themselves(tmp_path: Path) -> None:
    write(tmp_path, "testlist01.txt", "Yoga/v_Yoga_g01.avi\n")
    with pytest.raises(ValueError, match=r"testlist01\.txt has 1 classes .*'Yoga'; did you mean 'yoga'"):
        read_ucf101(tmp_path, 1, "val", CLASSES)
    write(tmp_path, "wave_test_split1.txt", "a.b.avi 1 \nc.avi 2\nd.avi\t0\n")
    write(tmp_path, "._wave_test_split1.txt", "macOS")
    classes = read_hmdb51_classes(tmp_path, 1)
    assert read_hmdb51(tmp_path, 1, "train", classes).videos.tolist() == ["wave/a.b"]
    write(tmp_path, "wave_test_split1.txt", "a.avi 7\n")
    with pytest.raises(ValueError, match="HMDB51's lists have"):
        read_hmdb51(tmp_path, 1, "train", classes)


def test_missing_videos_are_counted(tmp_path: Path) -> None:
    write(tmp_path, "deep/a.mp4", "")
    segments, _ = read_kinetics(write(tmp_path, "list.txt", "x/a.mp4 0\nb 1\nb 2\n"), CLASSES, {})
    kept, files, faults = match_videos(segments, index_videos(tmp_path))
    assert kept.ids.tolist() == ["x/a"] and files == {"x/a": tmp_path / "deep/a.mp4"}
    assert faults == ["2 videos expected, 1 found; 1 missing (b) -> 2 of 3 clips skipped"]
    assert strip_video_suffix("a/b.c.avi") == "a/b.c" and strip_video_suffix("a\\b.c") == "a/b.c"
