from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdet.datasets.class_names import ClassNames
from avdet.datasets.kinetics import Kinetics, KineticsConfig, read_kinetics, select_classes, subset_classes
from avdet.synthetic.benchmark_files import AUDIO_DEPENDENT_CLASSES
from tests.datasets.text_file import write_file

CLASSES = ClassNames((0, 1, 2), ("air drumming", "yoga", "zumba"))
HEADER = "label,youtube_id,time_start,time_end,split\n"


def test_segments_of_trimmed_and_untrimmed_videos(tmp_path: Path) -> None:
    """A trimmed file is the whole segment; an untrimmed one is cut at the list's times."""
    rows = '"Air_Drumming",abc,417,427,val\nyoga,d-e,3.5,6,val\nzumba,x,1,2,val\n'
    path = write_file(tmp_path, "val.csv", HEADER + rows)
    videos = {name: [((), Path())] for name in ("abc_000417_000427", "abc", "d-e")}
    segments, faults = read_kinetics(path, CLASSES, videos)
    assert segments.videos.tolist() == ["abc_000417_000427", "d-e", "x_000001_000002"] and not faults
    assert segments.start_s.tolist() == [0, 3.5, 0] and segments.end_s.tolist() == [np.inf, 6, np.inf]
    assert segments.labels["action"].tolist() == [0, 1, 2]


def test_lists_of_paths_and_labels(tmp_path: Path) -> None:
    text = "yoga/a b.mp4 1\nzumba/c,d.mp4 , 2\n\nflat.one.mkv\tzumba\n"
    text += '"e f.AVI" air drumming\ng.mp4,"air drumming"\nh i 1\n'
    segments, _ = read_kinetics(write_file(tmp_path, "list.txt", text), CLASSES, {})
    assert segments.videos.tolist() == ["yoga/a b", "zumba/c,d", "flat.one", "e f", "g", "h i"]
    assert segments.labels["action"].tolist() == [1, 2, 2, 0, 0, 1]


def test_columns_in_another_order_and_empty_rows(tmp_path: Path) -> None:
    """As a spreadsheet exports them, with a row that names no video."""
    text = "time_start,time_end,youtube_id,label\n1,2,abc,yoga\n,,,\n3,4,,zumba\n"
    path = write_file(tmp_path, "val.csv", text)
    segments, faults = read_kinetics(path, CLASSES, {"abc": [((), Path()), ((), Path())]})
    assert segments.videos.tolist() == ["abc", ""] and segments.labels["action"].tolist() == [1, 2] and not faults


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + "yogaa,abc,1,2,val\n", r"1 classes .* 1 rows: 'yogaa'; did you mean 'yoga'\?"),
        (HEADER + "yoga,abc,one,2,val\n", r"line 2: time_start is 'one', not a number"),
        ("label,youtube_id\n", "no column time_start"),
        ("a 3\n", r"line 1: class 3 is not in 0\.\.2"),
        ("a 1\nlonely\n", "line 2: 'lonely' is not a path with a label"),
    ],
)
def test_invalid_rows_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_kinetics(write_file(tmp_path, "val.csv", text), CLASSES, {})


@pytest.mark.parametrize(
    ("rows", "kept", "fault"),
    [
        (
            "yoga,abc,10,10,val\nyoga,d,1,11,val\n",
            "d_000001_000011",
            "1 of 2 rows end before they start (first: abc_000010_000010); skipped",
        ),
        (
            "yoga,abc,,10,val\nyoga,d,-5,-3,val\nyoga,e,1,11,val\n",
            "e_000001_000011",
            "2 of 3 rows have no time, or a negative one (first: abc_none_000010); skipped",
        ),
    ],
)
def test_rows_without_a_valid_span_are_skipped_and_counted(tmp_path: Path, rows: str, kept: str, fault: str) -> None:
    segments, faults = read_kinetics(write_file(tmp_path, "val.csv", HEADER + rows), CLASSES, {})
    assert segments.ids.tolist() == [kept] and faults == [fault]


def test_ids_of_segments_at_fractional_seconds_are_unique(tmp_path: Path) -> None:
    path = write_file(tmp_path, "val.csv", HEADER + "yoga,abc,1,1.3,val\nyoga,abc,1.2,1.4,val\n")
    segments, _ = read_kinetics(path, CLASSES, {})
    assert segments.ids.tolist() == ["abc_000001_000001.300", "abc_000001.200_000001.400"]


def test_a_subset_of_classes_in_either_spelling(tmp_path: Path) -> None:
    subset = subset_classes(write_file(tmp_path, "sounds.txt", "zumba\nair_drumming\n"), CLASSES)
    assert subset.names == ("zumba", "air drumming")
    segments, _ = read_kinetics(write_file(tmp_path, "list.txt", "a 0\nb 1\nc 2\n"), CLASSES, {})
    selected = select_classes(segments, CLASSES, subset)
    assert selected.videos.tolist() == ["a", "c"] and selected.labels["action"].tolist() == [1, 0]


def test_the_classes_setting_selects_the_segments_of_a_subset(clip_sample: Path) -> None:
    config = KineticsConfig(
        videos=clip_sample / "videos",
        annotations=clip_sample / "annotations/kinetics",
        train_csv=Path("kinetics_train.csv"),
        val_csv=Path("kinetics_val.csv"),
        label_map=Path("label_map.txt"),
    )
    whole = Kinetics(config)
    subset = Kinetics(config.model_copy(update={"classes": Path("kinetics_sounds_classes.txt")}))
    names = whole.class_sets()["action"].names
    assert set(subset.class_sets()["action"].names) == set(AUDIO_DEPENDENT_CLASSES)
    segments = whole.read("train").segments
    in_subset = np.array([names[label] in AUDIO_DEPENDENT_CLASSES for label in segments.labels["action"]])
    assert subset.read("train").segments.ids.tolist() == segments.ids[in_subset].tolist()


def test_kinetics_sounds_comes_with_avdet(tmp_path: Path) -> None:
    config = KineticsConfig(annotations=tmp_path, classes=Path("kinetics_sounds_classes.txt"))
    listed = Kinetics(config).files("train")["data.classes"]
    assert len(listed.read_text().splitlines()) == 32
    own = write_file(tmp_path, "kinetics_sounds_classes.txt", "singing\n")
    assert Kinetics(config).files("train")["data.classes"] == own
    assert "data.test_classes" not in Kinetics(config.model_copy(update={"test_classes": own})).files("train")


def test_a_model_of_all_classes_is_tested_on_a_few(tmp_path: Path) -> None:
    """Of three clips two have tested classes; "yoga" scores best everywhere but cannot be predicted."""
    write_file(tmp_path, "label_map_k400.txt", "air drumming\nyoga\nzumba\n")
    write_file(tmp_path, "kinetics-400_val.csv", "a 0\nb 1\nc 2\n")
    write_file(tmp_path, "tested.txt", "zumba\nair_drumming\n")
    dataset = Kinetics(KineticsConfig(annotations=tmp_path, test_classes=Path("tested.txt")))
    classes = dataset.class_sets()
    segments, _ = dataset.read_segments("val", classes, {})
    assert segments.videos.tolist() == ["a", "c"] and len(classes["action"]) == 3
    scores = np.array([[0.3, 0.6, 0.1], [0.3, 0.6, 0.1]])
    name, score, content = dataset.measure(classes, segments, {"action": scores}, segments)
    assert (name, score) == ("top1", 0.5)
    assert content["accuracy"] == {"air drumming": 1.0, "yoga": None, "zumba": 0.0}
