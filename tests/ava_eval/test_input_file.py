"""Pipes, standard input and gzip files, each opened once."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from ava_eval import FormatError, input_file, read_detections, read_label_map
from ava_eval.cli import main
from ava_eval.input_file import open_plain_or_gzip

ROWS = "v,902,0.1,0.1,0.5,0.9,1,0.9\nw,903,0.2,0.1,0.6,0.9,1,0.8\n"
TRUTH = "v,902,0.1,0.1,0.5,0.9,1,0\n"


def pipe(path: Path, data: bytes) -> Path:
    """A named pipe that a thread writes to once, byte by byte at first."""
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb", buffering=0) as file:
            file.write(data[:1])
            file.write(data[1:])

    Thread(target=write, daemon=True).start()
    return path


@pytest.mark.parametrize("data", [ROWS.encode(), gzip.compress(ROWS.encode())], ids=["plain", "gzip"])
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
    options = {"--ground-truth": TRUTH, "--detections": ROWS, "--label-map": "stand\n"}
    arguments = [part for name, text in options.items() for part in (name, str(pipe(tmp_path / name, text.encode())))]
    assert main(arguments) == 0
    assert "stand  100.00" in capsys.readouterr().out


def test_standard_input(tmp_path: Path) -> None:
    (tmp_path / "gt.csv").write_text(TRUTH, encoding="utf-8")
    (tmp_path / "map").write_text("stand\n", encoding="utf-8")
    command = [sys.executable, "-m", "ava_eval", "--ground-truth", str(tmp_path / "gt.csv"), "--detections", "-"]
    command += ["--label-map", str(tmp_path / "map")]
    for data, status, text in (
        (ROWS.encode(), 0, "stand  100.00"),
        (gzip.compress(ROWS.encode()), 0, "stand  100.00"),
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
    path.write_bytes(gzip.compress(ROWS.encode() * 20_000))
    assert len(read_detections(path)) == 40_000
    monkeypatch.setattr(input_file, "_FREE_BYTES", 1000)
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
