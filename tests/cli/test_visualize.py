from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from avdet.cli.visualize import main
from avdet.media.reader import VideoReader
from tests.media.make_videos import write_video

ROW = "clip,0.5,0.1,0.2,0.4,0.9,2,{score},7\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_video(tmp_path / "clip.mp4", num_frames=25)
    (tmp_path / "detections.csv").write_text(ROW.format(score=0.87))
    (tmp_path / "names.txt").write_text("sit\ntalk to\n")
    (tmp_path / "truth.csv").write_text("clip,0.5,0.1,0.2,0.4,0.9,1,7\n")
    return tmp_path


def _arguments(folder: Path, *more: str) -> list[str]:
    return [
        str(folder / "clip.mp4"),
        "--detections",
        str(folder / "detections.csv"),
        "--output",
        str(folder / "a.mp4"),
        *more,
    ]


def test_it_draws_and_says_how_much(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names, truth = str(folder / "names.txt"), str(folder / "truth.csv")
    assert main(_arguments(folder, "--label-map", names, "--ground-truth", truth)) == 0
    assert f"{folder / 'a.mp4'}: 50 boxes in 25 frames" in capsys.readouterr().out.replace("\n", " ")
    with VideoReader(folder / "a.mp4") as video:
        assert video.frames([0.5]).shape == (1, 360, 480, 3)


def test_it_says_why_nothing_is_drawn(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "detections.csv").write_text(ROW.format(score=0.27))
    assert main(_arguments(folder)) == 0
    assert "nothing is drawn: no score reaches 0.3; the highest is 0.27" in capsys.readouterr().out
    assert main(_arguments(folder, "--min-score", "0.2", "--top", "1")) == 0
    assert "25 boxes in 25 frames" in capsys.readouterr().out


def test_the_page_needs_no_film(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, names = folder / "page.html", str(folder / "names.txt")
    argv = [str(folder / "clip.mp4"), "--detections", str(folder / "detections.csv"), "--label-map", names]
    assert main([*argv, "--player", str(page)]) == 0
    assert f"{page}: open it in a browser" in capsys.readouterr().out.replace("\n", " ")
    assert '"src":"clip.mp4"' in page.read_text(encoding="utf-8") and not (folder / "a.mp4").exists()
    for more, sentence in (
        ([], "neither --output nor --player is given"),
        (
            ["--player", str(page), "--without-audio", "other.csv"],
            "--without-audio draws bars",
        ),
    ):
        with pytest.raises(SystemExit) as stop:
            main([*argv, *more])
        assert stop.value.code == 2 and sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "sentence"),
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
def test_wrong_use_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], change: list[str], sentence: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(_arguments(folder, *change))
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert sentence in said and said.startswith("error: ") and said.count("\n") == 1


def test_tables_that_cannot_be_drawn_are_refused_before_the_film(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = folder / "other.csv"
    pixels = "clip,0.5,10,20,40,90,1,0.9\n"
    for option, row, said in (
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
        with pytest.raises(SystemExit) as stop:
            main(_arguments(folder, option, str(table)))
        assert stop.value.code == 2 and said in capsys.readouterr().err
        assert not (folder / "a.mp4").exists()
    assert main(_arguments(folder, "--detections", str(table), "--timestamp-offset", "499.5")) == 0


def test_what_is_not_shown_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, names = folder / "late.csv", folder / "names.txt"
    table.write_text("".join(f"clip,{second},0.1,0.2,0.4,0.9,{action},0.9\n" for second, action in ((0.5, 7), (3, 1))))
    names.write_text("sit\n")
    assert main(_arguments(folder, "--detections", str(table), "--label-map", str(names))) == 0
    said = capsys.readouterr().out
    assert "not shown: 1 of 2 rows" in said and "(1.0 s)" in said
    assert "shown as numbers, because the label map has no name: 1 action id: 7" in said


def test_what_is_read_is_not_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = folder / "names.html"
    names.write_text("sit\n")
    for more in (["--output", str(folder / "clip.mp4")], ["--label-map", str(names), "--player", str(names)]):
        before = {path: path.read_bytes() for path in folder.iterdir()}
        with pytest.raises(SystemExit):
            main(_arguments(folder, *more))
        assert "is one of the inputs and would overwrite it" in capsys.readouterr().err
        assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_place_for_the_page_is_there_before_the_film_is_drawn(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(_arguments(folder, "--player", str(folder / "truth.csv" / "page.html")))
    assert f"--player: cannot write into {folder / 'truth.csv'}" in capsys.readouterr().err
    assert not (folder / "a.mp4").exists()


def test_a_video_that_cannot_be_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "clip.mp4").write_bytes(b"no video")
    with pytest.raises(SystemExit) as stop:
        main(_arguments(folder))
    assert stop.value.code == 2
    assert "clip.mp4 cannot be opened: Invalid data" in capsys.readouterr().err
    (folder / "clip.mp4").unlink()
    with pytest.raises(SystemExit):
        main(_arguments(folder))
    assert "clip.mp4; correct the path" in capsys.readouterr().err
    assert not (folder / "a.mp4").exists()


def test_the_script_says_what_it_takes() -> None:
    script = Path(__file__).parents[2] / "tools" / "visualize.py"
    done = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=True)
    assert "--detections" in done.stdout


def test_scores_without_sound_stand_beside(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "video_only.csv").write_text(ROW.format(score=0.1))
    assert main(_arguments(folder, "--without-audio", str(folder / "video_only.csv"), "--no-spectrogram")) == 0
    (folder / "video_only.csv").write_text(ROW.format(score=0.1).replace("clip,", "other,"))
    with pytest.raises(SystemExit) as stop:
        main(_arguments(folder, "--without-audio", str(folder / "video_only.csv")))
    assert stop.value.code == 2 and "the detections without audio have no row for 'clip'" in capsys.readouterr().err
