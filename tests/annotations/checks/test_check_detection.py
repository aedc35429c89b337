"""Introduces one fault at a time into the synthetic data set: the check finds and explains it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from ava_eval import BOX_COLUMNS
from avdet.annotations.checks.check_data import check_data, refuse_faulty
from avdet.cli import check_data as check_data_cli
from avdet.config import Config
from avdet.datasets.ava import Ava, AvaConfig
from avdet.media.video_reader import VideoReader
from tests.conftest import REPOSITORY
from tests.media.make_videos import write_broken_download, write_video
from tests.shared import SHARED, needs_shared

Fault = Callable[[Path], None]


@pytest.fixture
def copy(sample: Path, tmp_path: Path) -> Path:
    """A copy of the synthetic data set that a test may damage."""
    return Path(shutil.copytree(sample, tmp_path / "sample"))


def ava(config: Config, **changes: object) -> Ava:
    assert isinstance(config.data, AvaConfig)
    return Ava(config.data.model_copy(update=changes))


def ava_in(folder: Path, config: Config, **changes: object) -> Ava:
    return ava(config, videos=folder / "videos", annotations=folder / "annotations", **changes)


def edit(file: str, change: Callable[[list[list[str]]], list[list[str]]]) -> Fault:
    def fault(folder: Path) -> None:
        path = folder / "annotations" / file
        rows = [line.split(",") for line in path.read_text().splitlines()]
        path.write_text("".join(",".join(row) + "\n" for row in change(rows)))

    return fault


def test_the_synthetic_data_set_has_no_error(sample: Path, tiny_config: Config) -> None:
    findings = list(check_data(ava_in(sample, tiny_config)))
    assert {finding.about for finding in findings if finding.level != "fact"} <= {"train", "val"}
    assert not [finding for finding in findings if finding.level == "error"]
    facts = " ".join(finding.message for finding in findings)
    assert "9 classes" in facts and "3 videos" in facts and "with audio" in facts and "at IoU 0.5" in facts
    refuse_faulty(ava_in(sample, tiny_config))


TRAIN, VAL, BOXES, MAP = (
    "ava_train_v2.2.csv",
    "ava_val_v2.2.csv",
    "ava_val_predicted_boxes.csv",
    "ava_action_list_v2.2.pbtxt",
)
VIDEO = "videos/sample_train_00.mp4"


def rewrite(file: str, change: Callable[[bytes], bytes]) -> Fault:
    def fault(folder: Path) -> None:
        path = folder / file
        path.write_bytes(change(path.read_bytes()))

    return fault


def retime(change: Callable[[float], float]) -> Fault:
    """Changes the timestamps of both tables and the person boxes."""

    def fault(folder: Path) -> None:
        for file in (TRAIN, VAL, BOXES):
            edit(file, lambda rows: [[r[0], f"{change(float(r[1])):g}", *r[2:]] for r in rows])(folder)

    return fault


def reshape(change: Callable[[list[float]], list[float]]) -> Fault:
    return edit(
        TRAIN, lambda rows: [[*r[:2], *(f"{x:g}" for x in change([*map(float, r[2:6])])), *r[6:]] for r in rows]
    )


def remove_audio(folder: Path) -> None:
    with VideoReader(folder / VIDEO) as video:
        frames = [frame for _, frame in video.play()]
    write_video(folder / VIDEO, frames=frames, num_frames=len(frames), fps=10)


def silence_audio(folder: Path) -> None:
    write_video(folder / VIDEO, num_frames=60, fps=10, waveform=np.zeros(96_000, np.float32))


def extract_frames(folder: Path) -> None:
    """Replaces a video by a folder of its frames at 30 fps, with its audio."""
    frame_folder = (folder / VIDEO).with_suffix("")
    frame_folder.mkdir()
    with VideoReader(folder / VIDEO) as video:
        frames = video.frames(np.arange(0, video.info.duration_s, 1 / 30))
    for number, frame in enumerate(frames, start=1):
        cv2.imwrite(str(frame_folder / f"{number:06d}.jpg"), frame[..., ::-1])
    (folder / VIDEO).rename(frame_folder / f"{frame_folder.name}.m4a")


FAULTS = {
    "wrong origin": (retime(lambda t: t + 450), "error", "data.timestamp_offset=450"),
    "ms": (retime(lambda t: t * 1000), "error", "they would fit as milliseconds"),
    "frames": (retime(lambda t: round(t * 30)), "error", "frame numbers at 30 fps"),
    "pixels": (reshape(lambda b: [b[0] * 160, b[1] * 120, b[2] * 160, b[3] * 120]), "error", "seem to be pixels"),
    "xywh": (reshape(lambda b: [b[0], b[1], b[2] - b[0], b[3] - b[1]]), "error", "x,y,width,height"),
    "swapped corners": (reshape(lambda b: [b[2], b[3], b[0], b[1]]), "error", "x1 > x2"),
    "empty box": (reshape(lambda b: [b[0], b[1], b[0], b[3]]), "warning", "empty box"),
    "unknown id": (edit(TRAIN, lambda rows: [[*r[:6], "77", r[7]] for r in rows]), "error", "not in the label map"),
    "0-based": (edit(TRAIN, lambda rows: [["v", "1", *"0011", "0"], *rows]), "error", "add 1 to all"),
    "header": (edit(TRAIN, lambda rows: [["video", "time", *BOX_COLUMNS, "label"], *rows]), "fact", "header line"),
    "unknown header": (edit(TRAIN, lambda rows: [["video", "time", *BOX_COLUMNS, "verb"], *rows]), "warning", "name: verb"),  # noqa: E501
    "widths": (edit(TRAIN, lambda rows: [[*"vtxywh", "label"], *rows]), "error", "column 5 of the header is 'w'"),
    "labels as boxes": (edit(BOXES, lambda rows: [[*r[:6], "12", "0"] for r in rows]), "error", "to be a ground truth"),
    "tabs": (rewrite(f"annotations/{TRAIN}", lambda text: text.replace(b",", b"\t")), "fact", "separated by tabs"),
    "byte order mark": (rewrite(f"annotations/{VAL}", lambda text: b"\xef\xbb\xbf" + text), "fact", "byte order mark"),
    "duplicates": (edit(TRAIN, lambda rows: [*rows, rows[0]]), "warning", "duplicate row"),
    "missing video": (lambda folder: (folder / VIDEO).unlink(), "warning", "sample_train_00 missing"),
    "suffix": (edit(TRAIN, lambda rows: [[r[0] + ".mp4", *r[1:]] for r in rows]), "fact", "none missing"),
    "no video": (rewrite(VIDEO, lambda _: b"nothing"), "error", "sample_train_00"),
    "truncated": (lambda folder: write_broken_download(folder / VIDEO), "error", "is truncated: its header says"),
    "no folder": (lambda folder: shutil.rmtree(folder / "videos"), "error", "data set is missing"),
    "no audio": (remove_audio, "warning", "no audio track: 1 video: sample_train_00.mp4 of 5"),
    "frames folder": (extract_frames, "fact", "videos 5 videos complete and with audio"),
    "silent audio": (silence_audio, "warning", "silent audio track: 1 video: sample_train_00.mp4"),
    "both splits": (edit(TRAIN, lambda rows: [["sample_val_00", *r[1:]] for r in rows]), "error", "both train"),
    "no scores": (edit(BOXES, lambda rows: [r[:6] for r in rows]), "warning", "every score is 1"),
    "low scores": (edit(BOXES, lambda rows: [[*r[:6], "0.3"] for r in rows]), "error", "the highest score is 0.30"),
    "other times": (edit(BOXES, lambda rows: [[r[0], "99", *r[2:]] for r in rows]), "error", "its times (99, ...)"),
    "other videos": (edit(BOXES, lambda rows: [["x" + r[0], *r[1:]] for r in rows]), "error", "its videos (xsample"),
    "no labels": (edit(TRAIN, lambda rows: [r[:2] for r in rows]), "error", "no row has an action"),
    "two boxes": (edit(TRAIN, lambda rows: [[*rows[0][:2], *"0011", *rows[0][6:]], *rows]), "warning", "another box"),
    "no actions": (edit(VAL, lambda rows: [r[:6] for r in rows]), "error", VAL),
    "empty class": (edit(TRAIN, lambda rows: [r for r in rows if int(r[6]) > 11]), "warning", "no row for"),
    "empty map": (rewrite(f"annotations/{MAP}", lambda _: b""), "error", "0 classes"),
    "nan": (edit(VAL, lambda rows: [["v", "1", "nan", *rows[0][3:]], *rows]), "error", f"{VAL}, line 1: x1 is 'nan'"),
    "misspelt": (rewrite(f"annotations/{MAP}", lambda text: text.replace(b"walk", b"stamd")), "warning", "look alike"),
}  # fmt: skip


@pytest.mark.parametrize(("fault", "level", "sentence"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_found(copy: Path, tiny_config: Config, fault: Fault, level: str, sentence: str) -> None:
    fault(copy)
    findings = [finding for finding in check_data(ava_in(copy, tiny_config)) if finding.level == level]
    assert any(sentence in f"{finding.about} {finding.message}" for finding in findings), findings


def test_a_misspelt_class_in_the_settings_is_an_error(sample: Path, tiny_config: Config) -> None:
    for setting in ({"classes": ("stnad", "walk")}, {"exclusive_groups": (("sit", "stnad"),)}):
        data = ava_in(sample, tiny_config, **setting)
        (finding,) = check_data(data)
        assert finding.level == "error" and "did you mean 'stand'?" in finding.message


def test_exclusive_actions_of_one_person_are_counted(copy: Path, tiny_config: Config) -> None:
    """12 is stand and 14 is walk: the first person has both."""
    data = ava_in(copy, tiny_config, exclusive_groups=(("stand", "walk"),))
    before = [finding for finding in check_data(data) if "too many" in finding.message]
    edit(TRAIN, lambda rows: [*rows, *([*rows[0][:6], action, rows[0][7]] for action in ("12", "14"))])(copy)
    (after,) = [finding for finding in check_data(data) if "too many" in finding.message]
    assert not before and (after.about, after.level) == ("train", "warning")
    assert "1 row too many" in after.message and "one of stand, walk" in after.message


def test_training_refuses_errors_of_the_quick_check(copy: Path, tiny_config: Config) -> None:
    FAULTS["ms"][0](copy)
    with pytest.raises(ValueError, match=r"ava_train_v2\.2\.csv: labels before .* milliseconds.*tools/check_data\.py"):
        refuse_faulty(ava_in(copy, tiny_config))


def test_the_boxes_of_the_train_split_are_checked(copy: Path, tiny_config: Config) -> None:
    data = ava_in(copy, tiny_config, train_boxes=Path("boxes.csv"))

    def messages(rows: list[list[str]]) -> list[str]:
        (copy / "annotations/boxes.csv").write_text("".join(",".join(row) + "\n" for row in rows))
        findings = [finding for finding in check_data(data) if finding.about in ("train boxes", "files")]
        return [f"{finding.level}: {finding.message}" for finding in findings]

    rows = [line.split(",")[:6] for line in (copy / "annotations" / TRAIN).read_text().splitlines()]
    assert messages(rows[:1]) == ["fact: 1 of 1 box overlap a labelled person enough to be trained on"]
    assert "its times (99, ...)" in messages([[row[0], "99", *row[2:]] for row in rows])[0]
    assert messages([["x", *rows[0][1:]]])[0].startswith("warning: no box overlaps a labelled person")
    assert "seem to be pixels" in messages([[*rows[0][:2], *"0000", "0.9"], [*rows[0][:2], "0", "0", "90", "90"]])[0]
    assert "x1 is 'left'" in messages([[*rows[0][:2], "left", "0", "1", "1"]])[0]


@needs_shared
def test_a_published_data_set_of_birds(tiny_config: Config, tmp_path: Path) -> None:
    """Timestamps from 1 s, Windows line ends and tabs; its videos are not published."""
    birds = SHARED / "data/annotations/custom_ava/ethereal311_birds/annotations"
    boxes = birds / "person_box_67091280_iou90/ava _detection_val_boxes_and_labels.csv"
    for video in ("IMG_0110", "IMG_0130", "IMG_0177"):
        write_video(tmp_path / f"{video}.mp4", num_frames=40, fps=1)
    excluded = Path("ava_train_excluded_timestamps_v2.2.csv")
    data = ava(
        tiny_config, videos=tmp_path, annotations=birds, val_boxes=boxes, label_map=Path("labelmap.txt"),
        train_excluded=excluded, val_excluded=None,
    )  # fmt: skip
    messages = "\n".join(f"{finding.level} {finding.about}: {finding.message}" for finding in check_data(data))
    assert "8 classes are trained: Incubation, NestMaintenance, Resting" in messages
    assert f"fact {boxes.name}: is separated by tabs" in messages
    assert "error" not in messages or "missing" in messages, messages
    pickled = birds / "ava_dense_proposals_val.FAIR.recall_93.9.pkl"
    findings = check_data(Ava(data.config.model_copy(update={"val_boxes": pickled})))
    assert not [finding for finding in findings if finding.about == pickled.name]


def test_the_command_prints_and_writes_json(
    sample: Path, copy: Path, tmp_path: Path, tiny_settings: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"_base_: {REPOSITORY / 'avdet/synthetic/recipes/detection.yaml'}\n")
    argv = ["--config", str(config), "--json", str(tmp_path / "findings.json"), *tiny_settings]
    assert check_data_cli.main(argv) == 0
    assert "9 classes" in capsys.readouterr().out
    assert {"level", "about", "message"} == json.loads((tmp_path / "findings.json").read_text())[0].keys()
    assert check_data_cli.main([*argv, f"data.videos={copy / 'nowhere'}"]) == 2
    capsys.readouterr()
    for path, sentence in ((config, "is one of the inputs"), (tmp_path, "is a folder")):
        with pytest.raises(SystemExit) as stop:
            check_data_cli.main([*argv, "--json", str(path)])
        output = capsys.readouterr()
        assert stop.value.code == 2 and sentence in output.err and output.out == ""
