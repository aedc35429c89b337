"""detect_actions.py over a list: unreadable videos, equal names, resumed commands, several processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import ava_eval
from avdet.cli.detect_actions import main
from tests.cli.refusal import refusal
from tests.conftest import REPOSITORY
from tests.inference.tiny_detector import two_persons, write_noise_video

TABLES = ("detections.csv", "boxes.csv", "tubes.csv", "events.csv")


class Workdir:
    """Three videos, a broken one, their boxes, and a list of all videos."""

    def __init__(self, folder: Path, video: Path, checkpoint: str) -> None:
        self.folder, self.output, self.checkpoint = folder, folder / "out", checkpoint
        self.videos = [folder / f"video{number}.mp4" for number in range(3)]
        for path in self.videos:
            shutil.copy(video, path)
        self.broken = folder / "broken.mp4"
        self.broken.write_bytes(video.read_bytes()[:3000])
        paths = [self.videos[0], self.broken, *self.videos[1:]]
        boxes = [two_persons(path.stem, [float(t) for t in range(1, 12)]) for path in paths]
        pd.concat(boxes).to_csv(folder / "boxes.csv", index=False, header=False)
        self.list = folder / "list.txt"
        self.list.write_text("".join(f"{path}\n" for path in paths))

    def argv(self, *options: object, output: str = "out") -> list[str]:
        fixed = ["--checkpoint", self.checkpoint, "--boxes", str(self.folder / "boxes.csv"), "--batch-size", "4"]
        return [*map(str, options), *fixed, "--output", str(self.folder / output)]

    def run(self, *options: object) -> int:
        return main(self.argv(*options, "--no-video"))

    def tables(self) -> dict[str, bytes]:
        return {name: (self.output / name).read_bytes() for name in TABLES}

    def detections(self) -> pd.DataFrame:
        return ava_eval.read_detections(self.output / "detections.csv")


@pytest.fixture(scope="module")
def noise_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noise_video(tmp_path_factory.mktemp("videos") / "noise.mp4", 12)


@pytest.fixture
def work(tmp_path: Path, noise_video: Path, action_checkpoint: str) -> Workdir:
    return Workdir(tmp_path, noise_video, action_checkpoint)


def test_a_broken_video_is_listed_and_the_others_are_done(work: Workdir, capsys: pytest.CaptureFixture[str]) -> None:
    assert work.run("--input", work.list) == 0
    assert work.detections()["video"].drop_duplicates().tolist() == ["video0", "video1", "video2"]
    assert len(work.detections()) == 3 * 11 * 2 * 9
    errors = pd.read_csv(work.output / "errors.csv")
    assert errors["video"].tolist() == ["broken"] and "broken.mp4 cannot be read at" in errors["error"][0]
    assert not list(work.output.glob("*.mp4"))
    assert set(pd.read_csv(work.output / "tubes.csv")["video"]) <= {"video0", "video1", "video2"}
    printed = capsys.readouterr().out
    assert "3 of 4 videos" in printed and "1 could not be read" in printed
    tables = work.tables()
    assert work.run("--input", work.list) == 0
    assert capsys.readouterr().out.count("already done") == 3
    assert work.tables() == tables
    assert work.run(work.folder / "video*.mp4") == 0
    assert capsys.readouterr().out.count("already done") == 3


def test_a_crashed_command_is_resumed(work: Workdir, capsys: pytest.CaptureFixture[str]) -> None:
    """A crash leaves whole chunks and half of one, and no table of the video."""
    assert work.run(work.videos[0]) == 0
    tables = work.tables()
    journal = work.output / "parts/video0.part"
    journal.write_bytes(journal.read_bytes()[: journal.stat().st_size * 5 // 6])
    for path in [*work.output.glob("*.csv"), *work.output.glob("parts/*.csv"), journal.with_suffix(".finished.json")]:
        path.unlink()
    capsys.readouterr()
    assert work.run(work.videos[0]) == 0
    assert "resuming after 2 of 3 chunks" in capsys.readouterr().out
    assert work.tables() == tables


def test_other_inference_settings_are_refused_and_scores_can_be_smoothed(
    work: Workdir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work.run(work.videos[0]) == 0
    plain = work.detections()
    options = work.argv(work.videos[0], "--no-video", "--start", "2", "--end", "5")
    assert "other settings (end, start)" in refusal(main, capsys, *options)
    assert work.run(work.videos[0], "--smooth-window", "4") == 0
    assert work.detections()["score"].std() < plain["score"].std()


def test_tables_keep_videos_of_earlier_commands(work: Workdir, capsys: pytest.CaptureFixture[str]) -> None:
    for video in reversed(work.videos):
        assert work.run(video) == 0
    assert "the tables include 2 videos of earlier commands" in capsys.readouterr().out
    names = ["video0", "video1", "video2"]
    assert work.detections()["video"].drop_duplicates().tolist() == names
    assert ava_eval.read_boxes(work.output / "boxes.csv")["video"].drop_duplicates().tolist() == names
    tubes = [pd.read_csv(work.output / f"parts/{name}.tubes.csv") for name in names]
    pd.testing.assert_frame_equal(pd.read_csv(work.output / "tubes.csv"), pd.concat(tubes, ignore_index=True))
    assert work.run(work.videos[0], "--smooth-window", "2") == 0
    message = "the tables omit 2 videos of earlier commands with another --smooth-window, --min-score or --no-header"
    assert message in capsys.readouterr().out
    assert set(work.detections()["video"]) == {"video0"}


def test_another_video_of_the_same_name_is_refused(work: Workdir, capsys: pytest.CaptureFixture[str]) -> None:
    (work.folder / "more").mkdir()
    namesake = Path(shutil.copy(work.videos[1], work.folder / "more/video0.mp4"))
    assert work.run(work.videos[0]) == 0
    tables = work.tables()
    error = refusal(main, capsys, *work.argv(namesake, "--no-video"))
    assert f"out use the name video0 for {work.videos[0].resolve()}, so they cannot use it for {namesake}" in error
    assert work.tables() == tables
    work.videos[0].rename(work.folder / "elsewhere.mp4")
    assert work.run(namesake) == 0


def test_two_boxes_of_one_person_at_one_time_are_refused(work: Workdir, capsys: pytest.CaptureFixture[str]) -> None:
    boxes = two_persons("video0", [1.0, 2.0]).assign(person_id=4)
    boxes.to_csv(work.folder / "boxes.csv", index=False, header=False)
    error = refusal(main, capsys, *work.argv(work.videos[0], "--no-video"))
    assert "has two boxes of person 4 in 'video0' at 1 s" in error


def test_an_outdated_annotated_video_is_removed(work: Workdir) -> None:
    annotated = work.output / "video0.mp4"
    assert main(work.argv(work.videos[0], "--min-score", "0")) == 0
    assert annotated.exists()
    assert work.run(work.videos[0], "--min-score", "0.999") == 0
    assert not annotated.exists()
    assert main(work.argv(work.videos[0], "--min-score", "0.999")) == 0
    assert annotated.exists()


def test_the_label_map_names_the_action_ids(work: Workdir) -> None:
    assert work.run(work.videos[0]) == 0
    names = ava_eval.read_label_map(work.output / "label_map.txt")
    assert len(names) == 9 and names[12] == "stand"
    assert set(work.detections()["action_id"]) <= set(names)


def test_a_failed_command_keeps_the_tables(work: Workdir, capsys: pytest.CaptureFixture[str]) -> None:
    assert work.run(work.videos[0]) == 0
    tables = work.tables()
    refusal(main, capsys, *work.argv(work.broken, "--no-video"))
    assert work.tables() == tables


def test_start_and_end(work: Workdir) -> None:
    assert work.run(work.videos[1], "--start", "2.5", "--end", "6") == 0
    assert sorted(set(work.detections()["timestamp"])) == [3.0, 4.0, 5.0, 6.0]


def test_damaged_settings_are_reported(work: Workdir, capsys: pytest.CaptureFixture[str]) -> None:
    assert work.run(work.videos[0]) == 0
    settings = work.output / "parts/settings.json"
    for text in (settings.read_text()[:20], "[]"):
        settings.write_text(text)
        assert f"{settings} is damaged" in refusal(main, capsys, *work.argv(work.videos[0], "--no-video"))


def test_no_file_of_the_user_is_overwritten(work: Workdir, capsys: pytest.CaptureFixture[str]) -> None:
    (work.folder / "more").mkdir()
    video = Path(shutil.copy(work.videos[1], work.folder / "more/video0.mp4"))
    content = video.read_bytes()
    for options in ([], ["--no-video"]):
        error = refusal(main, capsys, *work.argv(video, *options, output="more"))
        assert "which would be overwritten" in error
    assert "would be overwritten" in refusal(main, capsys, *work.argv(video, "--no-video", output="."))
    assert video.read_bytes() == content
    for name in ("video1.mp4", "detections.csv", "label_map.txt"):
        folder = work.folder / f"with_{name}"
        folder.mkdir()
        (folder / name).write_text("content")
        error = refusal(main, capsys, *work.argv(work.videos[1], "--no-video", output=folder.name))
        assert f"{name} exists and is not from this command" in error
        assert (folder / name).read_text() == "content"
    assert "by which --boxes identifies them" in refusal(main, capsys, *work.argv(work.videos[0], video))


def test_if_no_video_is_readable_the_exit_status_is_2(work: Workdir, capsys: pytest.CaptureFixture[str]) -> None:
    absent, empty = work.folder / "absent.mp4", work.folder / "empty.txt"
    assert "none of 2 videos could be read" in refusal(main, capsys, *work.argv(work.broken, absent))
    assert len(pd.read_csv(work.output / "errors.csv")) == 2
    assert "no input; give video files" in refusal(main, capsys, *work.argv())
    empty.write_text("\n")
    assert "lists no video" in refusal(main, capsys, *work.argv("--input", empty))


@pytest.mark.slow
def test_two_processes_write_the_tables_of_one(work: Workdir) -> None:
    options = ("--input", work.list, "--no-video")
    assert main(work.argv(*options, output="one")) == 0
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    tool = [str(REPOSITORY / "tools/detect_actions.py"), *work.argv(*options, output="two")]
    subprocess.run([*launch, *tool], check=True, cwd=REPOSITORY, env={**os.environ, "OMP_NUM_THREADS": "1"})
    for name in (*TABLES, "errors.csv"):
        assert (work.folder / "two" / name).read_bytes() == (work.folder / "one" / name).read_bytes(), name
