"""What the tools share: option names, user errors and output checks."""

from __future__ import annotations

import argparse
import errno
import math
import re
from pathlib import Path

import pytest

from avdet.cli.arguments import (
    MIN_SCORE_HELP,
    ToolParser,
    require_not_nan,
    require_output,
    require_output_folder,
    require_video_output,
    user_errors,
)
from avdet.people.person_detector import MIN_SCORES


def parser() -> ToolParser:
    tool = ToolParser("tool.py", "Does something.")
    tool.add_argument("videos", nargs="*")
    tool.add_argument("--keyframe-rate", type=float, default=1.0)
    tool.add_argument("--smooth-window", type=float, default=0.0)
    return tool


def test_options_and_videos_come_in_any_order() -> None:
    args = parser().parse(["a.mp4", "--keyframe-rate", "2", "b.mp4"])
    assert args.videos == ["a.mp4", "b.mp4"] and args.keyframe_rate == 2.0


@pytest.mark.parametrize("argv", [["--rate", "2"], ["a.mp4", "--rate=2"]])
def test_a_renamed_option_is_refused_with_its_new_name(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        parser().parse(argv)
    assert stop.value.code == 2
    assert capsys.readouterr().err == "error: unknown option --rate; did you mean --keyframe-rate?\n"


def test_unknown_and_abbreviated_options_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """--people was renamed, but to an option that this tool does not have."""
    for option in ("--people", "--keyframe"):
        with pytest.raises(SystemExit) as stop:
            parser().parse([option, "2"])
        assert stop.value.code == 2
        assert f"unrecognized arguments: {option}" in capsys.readouterr().err


def test_a_file_name_that_begins_with_a_dash_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-5KQ66.mp4").touch()
    for name in ("-5KQ66.mp4", "-*.mp4"):
        with pytest.raises(SystemExit) as stop:
            parser().parse([name, "--keyframe-rate", "2"])
        assert stop.value.code == 2
        message = f"error: {name} begins with a dash and is taken for an option; write ./{name}\n"
        assert capsys.readouterr().err == message
    assert parser().parse(["./-5KQ66.mp4"]).videos == ["./-5KQ66.mp4"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("one\n  sentence"), "error: one sentence\n"),
        (OSError("no room on the disk"), "error: no room on the disk\n"),
        (
            PermissionError(13, "Permission denied", "out"),
            "error: out: permission denied; correct the path, or the setting that names it\n",
        ),
        (OSError(errno.ENOSPC, "No space"), "error: the disk is full; free space, then run the command again\n"),
        (ValueError("the class \x1b[31mred\x1b[0m\u2028 twice"), "error: the class \\x1b[31mred\\x1b[0m twice\n"),
        (ValueError("a" * 750 + "b" * 5000 + "c" * 750), f"error: {'a' * 750} ... {'c' * 750}\n"),
    ],
)
def test_user_errors_are_one_line_and_exit_status_2(
    error: Exception, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop, user_errors():
        raise error
    assert stop.value.code == 2 and capsys.readouterr().err == message


def test_the_message_names_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), user_errors():
        (tmp_path / "classes.txt").read_text()
    assert "classes.txt: no such file or directory; correct" in capsys.readouterr().err


def test_a_bug_stays_a_traceback() -> None:
    with pytest.raises(KeyError), user_errors():
        raise KeyError("ours")


def test_nan_is_refused() -> None:
    require_not_nan(argparse.Namespace(min_score=0.5, seconds=None), "min_score", "seconds")
    with pytest.raises(ValueError, match="--min-score is nan; give a number"):
        require_not_nan(argparse.Namespace(min_score=math.nan), "min_score")


def test_writable_outputs_pass_and_nothing_is_created(tmp_path: Path) -> None:
    (tmp_path / "old.pt").touch()
    require_output(tmp_path / "old.pt", (tmp_path / "in.pt", None))
    require_output(tmp_path / "new" / "folder" / "a.pt")
    require_output_folder(tmp_path / "new")
    require_output_folder(tmp_path)
    require_video_output(tmp_path / "a.MP4", ())
    assert [path.name for path in tmp_path.iterdir()] == ["old.pt"]


def test_outputs_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    file, link = tmp_path / "a.pt", tmp_path / "link.pt"
    file.touch()
    link.symlink_to(file)
    with pytest.raises(ValueError, match=r"OUT .*link.pt is one of the inputs"):
        require_output(link, (file,), option="OUT")
    with pytest.raises(ValueError, match="is a folder or a device"):
        require_output(tmp_path)
    with pytest.raises(ValueError, match=r"cannot write into .*a.pt \(not a directory\)"):
        require_output(file / "below" / "b.pt")
    with pytest.raises(ValueError, match="is a file; give a folder"):
        require_output_folder(file)
    with pytest.raises(ValueError, match=r"--output is .*a.pt; the video is written as mp4"):
        require_video_output(file, ())


def test_the_help_states_the_default_thresholds() -> None:
    numbers = [float(number) for number in re.findall(r"\b[\d.]+(?= )", MIN_SCORE_HELP)]
    assert numbers == [MIN_SCORES["torchvision"], MIN_SCORES["onnx"], MIN_SCORES["csv"]]
    assert MIN_SCORES["detectron2"] == MIN_SCORES["torchvision"]
