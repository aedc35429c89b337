"""What the tool does to the folder that it is given, and what it says of what it leaves out."""

from pathlib import Path

import pytest

from avdet.cli import import_annotations

ROWS = "video,time,x1,y1,x2,y2,action,person\n" + "".join(
    f"{video}.mp4,{second},0.1,0.1,0.5,0.9,{action},0\n"
    for video in "ab"
    for second, action in ((1, "sit"), (2, "stand"))
)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Rows in shares and seconds, so that nobody looks into the videos."""
    (tmp_path / "videos").mkdir()
    for video in "ab":
        (tmp_path / "videos" / f"{video}.mp4").touch()
    path = tmp_path / "labels.csv"
    path.write_text(ROWS)
    return path


def run(labels: Path, output: Path, *options: str) -> int:
    return import_annotations.main(
        [str(labels), "--videos", str(labels.parent / "videos"), "--output", str(output), *options]
    )


def refusal(capsys: pytest.CaptureFixture[str], labels: Path, output: Path, *options: str) -> str:
    with pytest.raises(SystemExit) as stop:
        run(labels, output, *options)
    assert stop.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("name", ["train.csv", "val.csv", "classes.txt"])
def test_no_file_is_written_over(labels: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    own = labels.rename(labels.with_name(name))
    assert f"{own} exists and is not overwritten; remove it" in refusal(capsys, own, own.parent)
    assert own.read_text() == ROWS
    assert sorted(path.name for path in own.parent.iterdir()) == sorted([name, "videos"])


def test_without_a_share_for_val_the_own_one_stays(labels: Path) -> None:
    own = labels.with_name("val.csv")
    own.write_text("mine")
    assert run(labels, labels.parent, "--val-fraction", "0") == 0
    assert own.read_text() == "mine" and labels.with_name("train.csv").exists()
    assert run(labels, labels.parent / "other", "--val-fraction", "0") == 0
    assert not (labels.parent / "other" / "val.csv").exists()


@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_a_file_is_no_folder_for_the_output(labels: Path, capsys: pytest.CaptureFixture[str], below: str) -> None:
    assert f"{labels} is a file; give a folder" in refusal(capsys, labels, labels / below)


@pytest.mark.parametrize(
    "option",
    [*(("--keyframe-interval", value) for value in ("-1", "nan", "inf")), ("--seed", "-1")],
)
def test_options_that_cannot_be_are_refused(
    labels: Path, capsys: pytest.CaptureFixture[str], option: tuple[str, str]
) -> None:
    assert f"{option[0]} is {option[1]}; give" in refusal(capsys, labels, labels.parent / "set", *option)


def test_what_is_left_out_is_counted(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels.write_text(f"{ROWS}a,3,0.2,0.2,0.2,0.4,sit,0\n{ROWS.splitlines()[1]}\n")
    assert run(labels, labels.parent / "set") == 0
    assert "4 rows" in (said := capsys.readouterr().out)
    assert said.endswith("omitted: 1 rows without a box in the frame, 1 duplicate rows\n")


def test_a_file_that_is_given_twice_counts_once(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos, output = labels.parent / "videos", labels.parent / "set"
    import_annotations.main([str(labels), str(labels), "--videos", str(videos), "--output", str(output)])
    assert capsys.readouterr().out.endswith("omitted: 4 duplicate rows\n")
