"""visualize.py: the annotated video, the page, and wrong usage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from avdet.cli.visualize import main
from avdet.media.video_reader import VideoReader
from tests.cli.refusal import refusal
from tests.media.make_videos import write_video

ROW = "clip,0.5,0.1,0.2,0.4,0.9,2,{score},7\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_video(tmp_path / "clip.mp4", num_frames=25)
    (tmp_path / "detections.csv").write_text(ROW.format(score=0.87))
    (tmp_path / "names.txt").write_text("sit\ntalk to\n")
    (tmp_path / "truth.csv").write_text("clip,0.5,0.1,0.2,0.4,0.9,1,7\n")
    return tmp_path


def arguments(folder: Path, *options: str) -> list[str]:
    detections, output = str(folder / "detections.csv"), str(folder / "a.mp4")
    return [str(folder / "clip.mp4"), "--detections", detections, "--output", output, *options]


def test_inverted_boxes_are_not_drawn(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inverted = "clip,0.5,0.4,0.2,0.1,0.9,1,0.9,8\n"
    (folder / "detections.csv").write_text(2 * ROW.format(score=0.87) + inverted)
    assert main(arguments(folder)) == 0
    captured = capsys.readouterr()
    assert "detections.csv: 1 boxes with x1 > x2 or y1 > y2 are not drawn" in captured.err


def test_the_number_of_boxes_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names, truth = str(folder / "names.txt"), str(folder / "truth.csv")
    assert main(arguments(folder, "--label-map", names, "--ground-truth", truth)) == 0
    assert f"{folder / 'a.mp4'}: 50 boxes in 25 frames" in capsys.readouterr().out.replace("\n", " ")
    with VideoReader(folder / "a.mp4") as video:
        assert video.frames([0.5]).shape == (1, 360, 480, 3)


def test_the_reason_is_reported_if_nothing_is_drawn(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "detections.csv").write_text(ROW.format(score=0.27))
    assert main(arguments(folder)) == 0
    assert "no action is drawn: no score reaches 0.3; the highest is 0.27" in capsys.readouterr().out
    assert main(arguments(folder, "--min-score", "0.2", "--top", "1")) == 0
    assert "25 boxes in 25 frames" in capsys.readouterr().out


def test_the_page_without_an_annotated_video(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, names = folder / "page.html", str(folder / "names.txt")
    argv = [str(folder / "clip.mp4"), "--detections", str(folder / "detections.csv"), "--label-map", names]
    assert main([*argv, "--player", str(page)]) == 0
    assert f"{page}: open it in a browser" in capsys.readouterr().out.replace("\n", " ")
    assert '"src":"clip.mp4"' in page.read_text(encoding="utf-8") and not (folder / "a.mp4").exists()
    for options, message in (
        ([], "neither --output nor --player is given"),
        (["--output", str(folder / "a.mp4"), "--edit"], "--edit is a mode of the page; give --player"),
    ):
        assert message in refusal(main, capsys, *argv, *options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--explain"], "--explain needs --checkpoint FILE"),
        (["--checkpoint", "best.pt"], "--explain needs --checkpoint FILE"),
        (["--explain", "--checkpoint", "missing.pt"], "There is no checkpoint at missing.pt"),
        (["--player", "page.pdf"], "give a name that ends in .html"),
        (["--top", "0"], "--top is 0"),
        (["--timestamp-offset", "nan"], "must be finite"),
        (["--output", "a.avi"], "give a name that ends in .mp4"),
        (["--name", "other"], "the detections have no row for 'other', only for clip"),
        (["--detections", "missing.csv"], "missing.csv"),
    ],
)
def test_wrong_usage(folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str) -> None:
    assert message in refusal(main, capsys, *arguments(folder, *options))


def test_invalid_tables_are_refused_before_the_video_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = folder / "other.csv"
    pixels = "clip,0.5,10,20,40,90,1,0.9\n"
    for option, row, message in (
        ("--detections", pixels, "other.csv has the row clip,0.5,10,20,40,90, a box in pixels"),
        ("--without-audio", pixels, "a box in pixels"),
        ("--ground-truth", "clip,0.5,10,20,40,90,1,7\n", "a box in pixels"),
        (
            "--detections",
            "clip,500,0.1,0.2,0.4,0.9,2,0.9\n",
            "are at 500 to 500 s of the video, which lasts 1.0 s; times",
        ),
    ):
        table.write_text(row)
        assert message in refusal(main, capsys, *arguments(folder, option, str(table)))
        assert not (folder / "a.mp4").exists()
    assert main(arguments(folder, "--detections", str(table), "--timestamp-offset", "499.5")) == 0


def test_outside_rows_and_unnamed_actions_are_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, names = folder / "late.csv", folder / "names.txt"
    table.write_text("".join(f"clip,{second},0.1,0.2,0.4,0.9,{action},0.9\n" for second, action in ((0.5, 7), (3, 1))))
    names.write_text("sit\n")
    assert main(arguments(folder, "--detections", str(table), "--label-map", str(names))) == 0
    printed = capsys.readouterr().out
    assert "not shown: 1 of 2 rows" in printed and "(1.0 s)" in printed
    assert "shown as numbers, because the label map has no name: 1 action id: 7" in printed


def test_inputs_are_not_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = folder / "names.html"
    names.write_text("sit\n")
    for options in (["--output", str(folder / "clip.mp4")], ["--label-map", str(names), "--player", str(names)]):
        before = {path: path.read_bytes() for path in folder.iterdir()}
        assert "is one of the inputs and would overwrite it" in refusal(main, capsys, *arguments(folder, *options))
        assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_the_path_of_the_page_is_checked_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = refusal(main, capsys, *arguments(folder, "--player", str(folder / "truth.csv" / "page.html")))
    assert f"--player: cannot write into {folder / 'truth.csv'}" in error
    assert not (folder / "a.mp4").exists()


def test_an_unreadable_or_missing_video_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "clip.mp4").write_bytes(b"no video")
    assert "clip.mp4 cannot be opened: Invalid data" in refusal(main, capsys, *arguments(folder))
    (folder / "clip.mp4").unlink()
    assert "clip.mp4; correct the path" in refusal(main, capsys, *arguments(folder))
    assert not (folder / "a.mp4").exists()


def test_the_script_has_help() -> None:
    script = Path(__file__).parents[2] / "tools" / "visualize.py"
    done = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=True)
    assert "--detections" in done.stdout


def test_scores_with_and_without_audio_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "video_only.csv").write_text(ROW.format(score=0.1))
    assert main(arguments(folder, "--without-audio", str(folder / "video_only.csv"), "--no-spectrogram")) == 0
    (folder / "video_only.csv").write_text(ROW.format(score=0.1).replace("clip,", "other,"))
    error = refusal(main, capsys, *arguments(folder, "--without-audio", str(folder / "video_only.csv")))
    assert "the detections without audio have no row for 'clip'" in error
