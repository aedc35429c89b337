"""Files in every form that circulates give one table; damaged files give one message."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import pytest

from ava_eval import (
    FormatError,
    csv_reader,
    read_action_names,
    read_boxes,
    read_detections,
    read_ground_truth,
    read_label_map,
)
from ava_eval.cli import main
from ava_eval.csv_reader import open_plain_or_gzip

Write = Callable[[str], Path]
TRUTH = "a,0902,0.1,0.2,0.3,0.4,12,7\na,902.5,0.5,0.25,1,0.75,80,8\n00123,903,0,0,1,1,1,0\n"


def assert_truth(table: pd.DataFrame) -> None:
    assert list(table.columns) == ["video", "timestamp", "x1", "y1", "x2", "y2", "action_id", "person_id"]
    assert table["video"].tolist() == ["a", "a", "00123"]
    assert table["timestamp"].tolist() == [902.0, 902.5, 903.0]
    assert table[["x1", "y1", "x2", "y2"]].to_numpy().tolist() == [
        [0.1, 0.2, 0.3, 0.4],
        [0.5, 0.25, 1, 0.75],
        [0, 0, 1, 1],
    ]
    assert table["action_id"].tolist() == [12, 80, 1]
    assert table["person_id"].tolist() == [7, 8, 0]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace(",", "\t"),
        lambda text: "\n\r\n  \n" + text.replace("\n", "\n\n") + "\n,,,,,,,\n",
        lambda text: "video_id,middle_frame_timestamp,x1,y1,x2,y2,action_id,person_id\n" + text,
        lambda text: "\ufeff\nVideo, Time ,xmin,ymin,xmax,ymax,Label,Entity-ID\r\n" + text,
        lambda text: "movie_name,frame_sec,xtl,ytl,xbr,ybr,verb,who\n" + text,  # unknown names
        lambda text: text.replace(",", " , "),
        lambda text: text.replace("a,", '"a",').replace("0.1", '"0.1"'),
        lambda text: text.replace("12,7", "12.0,7.0"),
        lambda text: text.replace("0.1", "1e-1").replace("0.25", "+.25").replace("903", "903."),
        lambda text: text.replace("1,0\n", "1,0,,\n"),
        lambda text: text.replace(",", ";").replace(".", ","),
        lambda text: "Datei;Zeit;links;oben;rechts;unten;Label;Person\n" + text.replace(",", ";"),
    ],
)  # fmt: skip
def test_all_forms_give_one_table(write: Write, change: Callable[[str], str]) -> None:
    assert_truth(read_ground_truth(write(change(TRUTH))))


def test_gzip_is_recognised_by_its_first_bytes(tmp_path: Path) -> None:
    for name in ("file.csv.gz", "file.csv"):
        (tmp_path / name).write_bytes(gzip.compress(TRUTH.encode()))
        assert_truth(read_ground_truth(tmp_path / name))


def test_truncated_gzip(tmp_path: Path) -> None:
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(TRUTH.encode() * 1000)[:-20])
    with pytest.raises(FormatError, match=r"cut\.csv\.gz is a damaged gzip file"):
        read_ground_truth(tmp_path / "cut.csv.gz")


@pytest.mark.parametrize(
    ("read", "row", "truncated"),
    [
        (read_ground_truth, "a,902,0.1,0.2,0.3,0.4,12,7\n", "a,903,0.1,0.2,0.3,0.4,1"),
        (read_detections, "a,902,0.1,0.2,0.3,0.4,12,0.5,7\n", "a,903,0.1,0.2,0.3,0.4,12,0.0"),
        (read_boxes, "a,902,0.1,0.2,0.3,0.4,0.7\n", "a,903,0.1,0.2,0.3,0.4"),
    ],
)
def test_truncated_last_line(write: Write, read: Callable[[Path], pd.DataFrame], row: str, truncated: str) -> None:
    for separator in ",\t":
        text = f"{row}{row}\n{truncated}".replace(",", separator)
        with pytest.raises(FormatError, match=r"file\.csv, line 4: .* columns and no line end, but the line above"):
            read(write(text))
        assert len(read(write(f"{text}\n"))) == 3
    assert len(read(write(f"{row}{truncated}{',' * (row.count(',') - truncated.count(','))}"))) == 2
    assert len(read(write(f'"a,b"{row[1:]}{row.strip()}'))) == 2
    assert read(write(f"{row}a,903"))["timestamp"].iloc[0] == 902


def test_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(TRUTH.encode() + b"caf\xe9,902,0,0,1,1,1\n")
    with pytest.raises(FormatError, match=r"latin\.csv, line 4: byte 0xe9 is not UTF-8 text"):
        read_ground_truth(tmp_path / "latin.csv")


def test_file_without_newlines(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"x" * 9_000_000)
    with pytest.raises(FormatError, match="line 1 is longer than 8388608 bytes"):
        read_ground_truth(tmp_path / "blob")


def test_blocks_are_joined(tmp_path: Path) -> None:
    """12 MB in two blocks, the second with a row of another width, and videos that recur."""
    rows = [f"video_{i % 7},{i}.25,0.125,0.25,0.5,0.75,{i % 80 + 1},0.{i:06d}\n" for i in range(200_000)]
    rows[190_000] = "extra,0\n"
    (tmp_path / "long.csv").write_text("".join(rows), encoding="utf-8")
    table = read_detections(tmp_path / "long.csv")
    i = np.delete(np.arange(200_000), 190_000)
    assert len(table) == len(i)
    assert (table["timestamp"].to_numpy() == i + 0.25).all()
    assert (table["score"].to_numpy() == i / 1e6).all()
    assert (table["action_id"].to_numpy() == i % 80 + 1).all()
    assert table["video"].tolist() == [f"video_{n % 7}" for n in i]


DETECTED = "v,902,0.1,0.1,0.5,0.9,1,0.9\nw,903,0.2,0.1,0.6,0.9,1,0.8\n"
ONE_PERSON = "v,902,0.1,0.1,0.5,0.9,1,0\n"


def pipe(path: Path, data: bytes) -> Path:
    """A named pipe that a thread writes to once, byte by byte at first."""
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb", buffering=0) as file:
            file.write(data[:1])
            file.write(data[1:])

    Thread(target=write, daemon=True).start()
    return path


@pytest.mark.parametrize("data", [DETECTED.encode(), gzip.compress(DETECTED.encode())], ids=["plain", "gzip"])
def test_pipes_are_read_whole(tmp_path: Path, data: bytes) -> None:
    assert read_detections(pipe(tmp_path / "pipe", data))["score"].tolist() == [0.9, 0.8]


def test_empty_and_short_files(tmp_path: Path) -> None:
    for data in (b"", b"v"):
        (tmp_path / "file").write_bytes(data)
        with open_plain_or_gzip(tmp_path / "file") as file:
            assert file.read() == data
        with open_plain_or_gzip(pipe(tmp_path / f"pipe{len(data)}", data)) as file:
            assert file.read() == data


def test_all_inputs_may_be_pipes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = {"--ground-truth": ONE_PERSON, "--detections": DETECTED, "--label-map": "stand\n"}
    arguments = [part for name, text in options.items() for part in (name, str(pipe(tmp_path / name, text.encode())))]
    assert main(arguments) == 0
    assert "stand  100.00" in capsys.readouterr().out


def test_standard_input(tmp_path: Path) -> None:
    (tmp_path / "gt.csv").write_text(ONE_PERSON, encoding="utf-8")
    (tmp_path / "map").write_text("stand\n", encoding="utf-8")
    command = [sys.executable, "-m", "ava_eval", "--ground-truth", str(tmp_path / "gt.csv"), "--detections", "-"]
    command += ["--label-map", str(tmp_path / "map")]
    for data, status, text in (
        (DETECTED.encode(), 0, "stand  100.00"),
        (gzip.compress(DETECTED.encode()), 0, "stand  100.00"),
        (b"v,902,x\n", 2, "standard input, line 1: 3 columns"),
    ):
        done = subprocess.run(command, input=data, capture_output=True, check=False)
        assert done.returncode == status
        assert text in (done.stdout + done.stderr).decode()


def test_inputs_that_can_be_read_only_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--ground-truth", "-", "--detections", "-", "--label-map", "map"]) == 2
    assert capsys.readouterr().err.startswith("- (standard input) can be only one of the input files")
    os.mkfifo(tmp_path / "pipe")
    twice = [str(tmp_path / "pipe")] * 2
    assert main(["--ground-truth", twice[0], "--detections", twice[1], "--label-map", "map"]) == 2
    assert capsys.readouterr().err.endswith(
        "is a pipe, which can be read only once; give another file for one option.\n"
    )


def test_gzip_files_that_expand_too_far_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.csv.gz"
    path.write_bytes(gzip.compress(DETECTED.encode() * 20_000))
    assert len(read_detections(path)) == 40_000
    monkeypatch.setattr(csv_reader, "_FREE_BYTES", 1000)
    for data in (path, pipe(tmp_path / "pipe", path.read_bytes())):
        with pytest.raises(FormatError, match="expands to over 200 times its size"):
            read_detections(data)
    with pytest.raises(FormatError, match="expands"), open_plain_or_gzip(path) as file:
        file.read()


def test_gzipped_label_map(tmp_path: Path) -> None:
    (tmp_path / "map.gz").write_bytes(gzip.compress(b"stand\nsit\n"))
    assert read_label_map(tmp_path / "map.gz") == {1: "stand", 2: "sit"}
    (tmp_path / "map.gz").write_bytes(gzip.compress(b"stand\nsit\n")[:-3])
    with pytest.raises(FormatError, match="is a damaged gzip file"):
        read_label_map(tmp_path / "map.gz")


NAMED = """video,timestamp,x1,y1,x2,y2,action_id,score,person_id,action
a,1,0,0,1,1,3,0.5,0,"talk to (e.g., ""self"", a group)"
a,1,0,0,1,1,12,0.25,0,stand
"b, c",2,0,0,1,1,12,0.125,-1,站立
"""


def test_the_actions_names_beside_their_ids_are_read_apart(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(NAMED, encoding="utf-8")
    table = read_detections(tmp_path / "a.csv")
    assert table[["video", "action_id", "score", "person_id"]].to_numpy().tolist() == [
        ["a", 3, 0.5, 0],
        ["a", 12, 0.25, 0],
        ["b, c", 12, 0.125, -1],
    ]
    assert read_action_names(tmp_path / "a.csv") == {3: 'talk to (e.g., "self", a group)', 12: "站立"}
    (tmp_path / "plain.csv").write_text("a,1,0,0,1,1,3,0.5\n")
    assert read_action_names(tmp_path / "plain.csv") == {}


def test_a_row_with_too_many_columns_is_refused_beside_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(NAMED.replace("stand", "stand,up"), encoding="utf-8")
    with pytest.raises(FormatError, match="line 3: 11 columns"):
        read_detections(tmp_path / "a.csv")
