"""import_annotations.py: the files it writes, what it omits, and wrong usage."""

from pathlib import Path

import pytest

from avdet.cli.import_annotations import main
from tests.cli.refusal import refusal

ROWS = "video,time,x1,y1,x2,y2,action,person\n" + "".join(
    f"{video}.mp4,{second},0.1,0.1,0.5,0.9,{action},0\n"
    for video in "ab"
    for second, action in ((1, "sit"), (2, "stand"))
)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Normalised boxes and times in seconds, so that the videos are not opened."""
    (tmp_path / "videos").mkdir()
    for video in "ab":
        (tmp_path / "videos" / f"{video}.mp4").touch()
    path = tmp_path / "labels.csv"
    path.write_text(ROWS)
    return path


def arguments(labels: Path, output: Path, *options: str) -> list[str]:
    return [str(labels), "--videos", str(labels.parent / "videos"), "--output", str(output), *options]


@pytest.mark.parametrize("name", ["train.csv", "val.csv", "classes.txt"])
def test_no_file_is_overwritten(labels: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    existing = labels.rename(labels.with_name(name))
    assert f"{existing} exists and is not overwritten; remove it" in refusal(
        main, capsys, *arguments(existing, existing.parent)
    )
    assert existing.read_text() == ROWS
    assert sorted(path.name for path in existing.parent.iterdir()) == sorted([name, "videos"])


def test_a_val_fraction_of_0_keeps_an_existing_val_csv(labels: Path) -> None:
    val = labels.with_name("val.csv")
    val.write_text("content")
    assert main(arguments(labels, labels.parent, "--val-fraction", "0")) == 0
    assert val.read_text() == "content" and labels.with_name("train.csv").exists()
    assert main(arguments(labels, labels.parent / "other", "--val-fraction", "0")) == 0
    assert not (labels.parent / "other" / "val.csv").exists()


@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_a_file_as_output_folder_is_refused(labels: Path, capsys: pytest.CaptureFixture[str], below: str) -> None:
    assert f"{labels} is a file; give a folder" in refusal(main, capsys, *arguments(labels, labels / below))


@pytest.mark.parametrize(
    "option",
    [*(("--keyframe-interval", value) for value in ("-1", "nan", "inf")), ("--seed", "-1")],
)
def test_wrong_options(labels: Path, capsys: pytest.CaptureFixture[str], option: tuple[str, str]) -> None:
    assert f"{option[0]} is {option[1]}; give" in refusal(
        main, capsys, *arguments(labels, labels.parent / "set", *option)
    )


def test_omitted_rows_are_counted(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels.write_text(f"{ROWS}a,3,0.2,0.2,0.2,0.4,sit,0\n{ROWS.splitlines()[1]}\n")
    assert main(arguments(labels, labels.parent / "set")) == 0
    assert "4 rows" in (printed := capsys.readouterr().out)
    assert printed.endswith("omitted: 1 rows without a box in the frame, 1 duplicate rows\n")


def test_a_file_given_twice_counts_once(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos, output = labels.parent / "videos", labels.parent / "set"
    main([str(labels), str(labels), "--videos", str(videos), "--output", str(output)])
    assert capsys.readouterr().out.endswith("omitted: 4 duplicate rows\n")
