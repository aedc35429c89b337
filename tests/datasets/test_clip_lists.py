"""Own lists of clips in the forms in which people write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdet.datasets.class_names import ClassNames
from avdet.datasets.clip_lists import read_clip_list
from avdet.datasets.segments import Segments

CLASSES = ClassNames.numbered(("graze", "rest", "air drumming"))
FRAMES = {"f1": [((), Path("f1"))], "f2": [((), Path("f2"))]}


def read(text: str, *, multilabel: bool = False) -> Segments:
    segments, faults = read_clip_list(text, Path("list.csv"), CLASSES, FRAMES, multilabel=multilabel)
    assert not faults, faults
    return segments


@pytest.mark.parametrize(
    "text",
    [
        "path,label\na.mp4,0\nb.mp4,1\n",
        "label,path\n0,a.mp4\nrest,b.mp4\n",
        "clip_name,clip_path,label\nx,/train/graze/a.avi,graze\ny,/train/rest/b.avi,rest\n",  # Kaggle's UCF101
        "File Name;Class;fps\na.MTS;Graze;25\nb.MTS;Rest;25\n",
        "video_name\ttag\na\tgraze\nb\trest\n",
        "a.mp4 0\nb.mp4 1\n",
        "0 a.mp4\n1 b.mp4\n",
        "graze,a.mp4\nrest,b.mp4\n",
        "a graze\nb rest\n",
        "graze a\nrest b\n",
        "a 163 0\nb 120 1\n",  # a folder of frames and its number of frames
        "a.mp4 163 0\nb.mp4 120 1\n",
        "a,graze\nb,rest",
    ],
)
def test_one_label_per_clip(text: str) -> None:
    segments = read(text)
    assert [Path(name).name for name in segments.videos] == ["a", "b"]
    assert segments.labels["action"].tolist() == [0, 1]
    assert segments.start_s.tolist() == [0, 0] and segments.end_s.tolist() == [np.inf, np.inf]


@pytest.mark.parametrize(
    "text",
    [
        "a.mp4 0 2\nb.mp4 1\n",
        "a.mp4,0,2\nb.mp4,1\n",
        "a graze air drumming\nb rest\n",
        "path,label\na.mp4,0 2\nb.mp4,1\n",
        'video,labels\na,"graze, air drumming"\nb,rest\n',
        "video,label\na,graze|air drumming\nb,rest\n",
        "video,label\na,graze\nb,rest\na,air drumming\n",
        "a 163 0 2\nb 120 1\n",
    ],
)
def test_several_labels_per_clip(text: str) -> None:
    segments = read(text, multilabel=True)
    assert segments.ids.tolist() == ["a", "b"] and segments.intervals is None
    assert segments.labels["action"].tolist() == [[1, 0, 1], [0, 1, 0]]


def test_several_labels_need_the_setting() -> None:
    with pytest.raises(ValueError, match=r"line 1: a has 2 labels \(0, 2\); set data\.multilabel=true"):
        read("a.mp4 0 2\nb.mp4 1\n")


BORIS_EVENTS = """Observation id\tfarm
Media file(s)
Time\tMedia file path\tTotal length\tFPS\tSubject\tBehavior\tBehavioral category\tComment\tStatus
0.2\tC:\\cows\\a.mp4\t9\t25\tBella\tgraze\t\t\tSTART
0.4\tC:\\cows\\a.mp4\t9\t25\tHeidi\tgraze\t\t\tSTART
1.1\tC:\\cows\\a.mp4\t9\t25\tBella\tgraze\t\t\tSTOP
1\tC:\\cows\\b.mp4\t9\t25\tBella\trest\t\t\tSTOP
2\tC:\\cows\\a.mp4\t9\t25\tHeidi\tgraze\t\t\tSTOP
"""


@pytest.mark.parametrize(
    "text",
    [
        "video,start,end,label\na.mp4,0.2,1.1,graze\nb.mp4,0,1,rest\n",
        "label;begin;stop;file\ngraze;0,2;00:00:01,1;a.mp4\nrest;0;1;b.mp4\n",
        "a.mp4,0.2,1.1,graze\nb.mp4,0,1,rest\n",
        "a.mp4 0.2 1.1 0\nb.mp4 0.0 1.0 1\n",
        "Observation id,Media file,Subject,Behavior,Behavior type,Start (s),Stop (s)\n"
        "o,cows/a.mp4,Bella,graze,STATE,0.2,1.1\no,cows/b.mp4,Bella,rest,STATE,0,1\n",  # BORIS, aggregated
    ],
)
def test_seconds_of_an_action(text: str) -> None:
    segments = read(text)
    assert [Path(name).name for name in segments.videos] == ["a", "b"]
    assert segments.start_s.tolist() == [0.2, 0] and segments.end_s.tolist() == [1.1, 1]
    assert segments.labels["action"].tolist() == [0, 1]
    assert [Path(name).name for name in segments.ids] == ["a_0.2_1.1", "b_0_1"]


def test_seconds_as_several_labels() -> None:
    text = "video,start,end,label\nb,0,1,rest\na,0.2,1.1,graze\na,1,2,air drumming\n"
    segments = read(text, multilabel=True)
    assert segments.videos.tolist() == ["b", "a"]
    assert segments.labels["action"].tolist() == [[0, 1, 0], [1, 0, 1]]
    assert segments.labels_at(1, 0.3, 0.9)["action"].tolist() == [1, 0, 0]
    assert segments.labels_at(1, 1.2, 3.0)["action"].tolist() == [0, 0, 1]


def test_events_of_boris_are_paired_by_subject() -> None:
    segments, faults = read_clip_list(BORIS_EVENTS, Path("boris.tsv"), CLASSES, {}, multilabel=False)
    assert segments.videos.tolist() == ["C:/cows/a"] * 2
    assert list(zip(segments.start_s, segments.end_s, strict=True)) == [(0.2, 1.1), (0.4, 2.0)]
    assert faults == ["1 events have no duration, such as points; skipped"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("video,start,end,label\na,x,1,rest\n", "line 2: the start is 'x', not a time; write seconds"),
        ("video,start,label\na,1,rest\n", "a column start, but none for the end"),
        ("video,label\na\n", "line 2: 'a' has fewer cells than the header line"),
        ("video,label\na,\n", "line 2: 'a' has no label"),
        ("a.mp4 grase\n", "'grase'; did you mean 'graze'"),
        ("a.mp4 5\n", r"line 1: class 5 is not in 0\.\.2"),
    ],
)
def test_invalid_lines_are_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(text)


def test_rows_without_duration_are_counted() -> None:
    text = "video,start,end,label\na,1,1,rest\na,2,3,rest\n"
    segments, faults = read_clip_list(text, Path("list.csv"), CLASSES, {}, multilabel=False)
    assert len(segments) == 1
    assert faults == ["1 of 2 rows have no duration or start before 0 (first: line 2); skipped"]
