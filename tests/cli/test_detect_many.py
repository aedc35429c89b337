"""detect_actions over a list: bad videos, equal names, a run that stops and goes on, several processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import ava_eval
from avdet.cli import detect_actions
from avdet.config import Config
from tests.conftest import REPOSITORY
from tests.inference.tiny_detector import save_tiny_detector, two_persons, write_noise_video


class Place:
    """Three films, a list that names them and a broken one, their people, a detector."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.folder = folder
        self.films = [write_noise_video(folder / f"film{number}.mp4", 12) for number in range(3)]
        (folder / "broken.mp4").write_bytes(self.films[0].read_bytes()[:3000])
        boxes = [two_persons(name, [float(t) for t in range(1, 12)]) for name in ("film0", "film1", "film2", "broken")]
        pd.concat(boxes).to_csv(folder / "boxes.csv", index=False, header=False)
        names = ["film0.mp4", "broken.mp4", "film1.mp4", "film2.mp4"]
        (folder / "list.txt").write_text("".join(f"{folder / name}\n" for name in names))
        self.checkpoint = str(save_tiny_detector(folder / "actions.pt", config))

    def argv(self, output: str, *more: str) -> list[str]:
        people = ["--boxes", str(self.folder / "boxes.csv"), "--batch-size", "4"]
        return [*more, "--checkpoint", self.checkpoint, *people, "--output", str(self.folder / output)]


@pytest.fixture
def place(tmp_path: Path, tiny_config: Config) -> Place:
    return Place(tmp_path, tiny_config)


def refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        detect_actions.main(argv)
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1
    return said


def test_a_broken_video_is_listed_and_the_others_are_done(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    argv = place.argv("out", "--input", str(place.folder / "list.txt"), "--no-video")
    assert detect_actions.main(argv) == 0
    out = place.folder / "out"
    detections = ava_eval.read_detections(out / "detections.csv")
    assert detections["video"].drop_duplicates().tolist() == ["film0", "film1", "film2"]
    assert len(detections) == 3 * 11 * 2 * 9
    errors = pd.read_csv(out / "errors.csv")
    assert errors["video"].tolist() == ["broken"] and "broken.mp4 cannot be read at" in errors["error"][0]
    assert not list(out.glob("*.mp4"))
    assert set(pd.read_csv(out / "tubes.csv")["video"]) <= {"film0", "film1", "film2"}
    assert "3 of 4 videos" in (said := capsys.readouterr().out) and "1 could not be read" in said
    before = (out / "detections.csv").read_bytes()
    assert detect_actions.main(argv) == 0
    assert capsys.readouterr().out.count("already done") == 3
    assert (out / "detections.csv").read_bytes() == before


def test_where_a_run_stopped_the_next_goes_on(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """A crash leaves whole chunks and half a one; the video's tables are not there yet."""
    argv = place.argv("out", str(place.films[0]), "--no-video")
    assert detect_actions.main(argv) == 0
    out = place.folder / "out"
    tables = {name: (out / name).read_bytes() for name in ("detections.csv", "boxes.csv", "tubes.csv")}
    part = out / "parts/film0.part"
    part.write_bytes(part.read_bytes()[: part.stat().st_size * 5 // 6])
    for path in [*out.glob("*.csv"), *out.glob("parts/*.csv"), out / "parts/film0.finished.json"]:
        path.unlink()
    capsys.readouterr()
    assert detect_actions.main(argv) == 0
    assert "resuming after 2 of 3 chunks" in capsys.readouterr().out
    assert {name: (out / name).read_bytes() for name in tables} == tables


def test_other_settings_do_not_mix_but_scores_are_smoothed_anew(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = place.argv("out", str(place.films[0]), "--no-video")
    assert detect_actions.main(argv) == 0
    rough = ava_eval.read_detections(place.folder / "out/detections.csv")
    assert "begun with other settings (end, start)" in refused([*argv, "--start", "2", "--end", "5"], capsys)
    assert detect_actions.main([*argv, "--smooth-window", "4"]) == 0
    smooth = ava_eval.read_detections(place.folder / "out/detections.csv")
    assert smooth["score"].std() < rough["score"].std()


def test_videos_of_earlier_commands_stay_in_the_tables(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    out = place.folder / "out"
    for film in reversed(place.films):
        assert detect_actions.main(place.argv("out", str(film), "--no-video")) == 0
    assert "the tables include 2 videos of earlier commands" in capsys.readouterr().out
    names = ["film0", "film1", "film2"]
    assert ava_eval.read_detections(out / "detections.csv")["video"].drop_duplicates().tolist() == names
    assert ava_eval.read_boxes(out / "boxes.csv")["video"].drop_duplicates().tolist() == names
    tubes = [pd.read_csv(out / f"parts/{name}.tubes.csv") for name in names]
    pd.testing.assert_frame_equal(pd.read_csv(out / "tubes.csv"), pd.concat(tubes, ignore_index=True))
    assert detect_actions.main(place.argv("out", str(place.films[0]), "--no-video", "--smooth-window", "2")) == 0
    assert (
        "the tables omit 2 videos of earlier commands with another --smooth-window or --min-score"
        in capsys.readouterr().out
    )
    assert set(ava_eval.read_detections(out / "detections.csv")["video"]) == {"film0"}


def test_another_video_of_an_earlier_ones_name_is_refused(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    (place.folder / "more").mkdir()
    double = write_noise_video(place.folder / "more/film0.mp4", 12)
    assert detect_actions.main(place.argv("out", str(place.films[0]), "--no-video")) == 0
    table = (place.folder / "out/detections.csv").read_bytes()
    said = refused(place.argv("out", str(double), "--no-video"), capsys)
    assert f"out use the name film0 for {place.films[0].resolve()}, so they cannot use it for {double}" in said
    assert (place.folder / "out/detections.csv").read_bytes() == table
    place.films[0].rename(place.folder / "elsewhere.mp4")  # it is no longer there: the table is of the other one
    assert detect_actions.main(place.argv("out", str(double), "--no-video")) == 0


def test_a_person_in_two_places_is_refused(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    two_persons("film0", [1.0, 2.0]).assign(person_id=4).to_csv(place.folder / "boxes.csv", index=False, header=False)
    said = refused(place.argv("out", str(place.films[0]), "--no-video"), capsys)
    assert "has two boxes of person 4 in 'film0' at 1 s" in said


def test_a_film_is_not_older_than_its_tables(place: Place) -> None:
    film, out = place.films[0], place.folder / "out"
    assert detect_actions.main(place.argv("out", str(film), "--min-score", "0")) == 0
    assert (out / "film0.mp4").exists()
    assert detect_actions.main(place.argv("out", str(film), "--min-score", "0.999", "--no-video")) == 0
    assert not (out / "film0.mp4").exists()
    assert detect_actions.main(place.argv("out", str(film), "--min-score", "0.999")) == 0
    assert (out / "film0.mp4").exists()


def test_ids_have_names_beside_them(place: Place) -> None:
    assert detect_actions.main(place.argv("out", str(place.films[0]), "--no-video")) == 0
    names = ava_eval.read_label_map(place.folder / "out/label_map.txt")
    assert len(names) == 9 and names[12] == "stand"
    assert set(ava_eval.read_detections(place.folder / "out/detections.csv")["action_id"]) <= set(names)


def test_what_fails_leaves_the_tables_of_the_run_before(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert detect_actions.main(place.argv("out", str(place.films[0]), "--no-video")) == 0
    paths = [place.folder / "out" / name for name in ("detections.csv", "boxes.csv", "tubes.csv")]
    tables = {path: path.read_bytes() for path in paths}
    refused(place.argv("out", str(place.folder / "broken.mp4"), "--no-video"), capsys)
    assert tables == {path: path.read_bytes() for path in tables}


def test_a_part_of_a_video(place: Place) -> None:
    argv = place.argv("out", str(place.films[1]), "--no-video", "--start", "2.5", "--end", "6")
    assert detect_actions.main(argv) == 0
    table = ava_eval.read_detections(place.folder / "out/detections.csv")
    assert sorted(set(table["timestamp"])) == [3.0, 4.0, 5.0, 6.0]


def test_settings_that_were_cut_off_are_said_to_be(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    argv = place.argv("out", str(place.films[0]), "--no-video")
    assert detect_actions.main(argv) == 0
    settings = place.folder / "out/parts/settings.json"
    for text in (settings.read_text()[:20], "[]"):
        settings.write_text(text)
        assert f"{settings} is damaged" in refused(argv, capsys)


def test_nothing_of_the_users_is_written_over(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    (place.folder / "more").mkdir()
    double = write_noise_video(place.folder / "more/film0.mp4", 2)
    film = double.read_bytes()
    assert "which would be overwritten" in refused(place.argv("more", str(double)), capsys)
    assert "would be overwritten" in refused(place.argv(".", str(double), "--no-video"), capsys)
    assert "which would be overwritten" in refused(place.argv("more", str(double), "--no-video"), capsys)
    assert double.read_bytes() == film
    for name in ("film1.mp4", "detections.csv", "label_map.txt"):
        (place.folder / name[:5]).mkdir()
        (place.folder / name[:5] / name).write_text("mine")
        said = refused(place.argv(name[:5], str(place.films[1]), "--no-video"), capsys)
        assert f"{name} exists and is not from this command" in said
        assert (place.folder / name[:5] / name).read_text() == "mine"
    assert "by which --boxes identifies them" in refused(place.argv("out", str(place.films[0]), str(double)), capsys)


def test_where_nothing_works_the_exit_status_is_2(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    broken = [str(place.folder / "broken.mp4"), str(place.folder / "absent.mp4")]
    assert "none of 2 videos could be read" in refused(place.argv("out", *broken), capsys)
    assert len(pd.read_csv(place.folder / "out/errors.csv")) == 2
    assert "no input; give video files" in refused(place.argv("out"), capsys)
    (place.folder / "empty.txt").write_text("\n")
    assert "lists no video" in refused(place.argv("out", "--input", str(place.folder / "empty.txt")), capsys)


@pytest.mark.slow
def test_two_processes_give_the_tables_of_one(place: Place) -> None:
    argv = ("--input", str(place.folder / "list.txt"), "--no-video")
    assert detect_actions.main(place.argv("one", *argv)) == 0
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    tool = [str(REPOSITORY / "tools/detect_actions.py"), *place.argv("two", *argv)]
    subprocess.run([*launch, *tool], check=True, cwd=REPOSITORY, env={**os.environ, "OMP_NUM_THREADS": "1"})
    for name in ("detections.csv", "boxes.csv", "tubes.csv", "errors.csv"):
        assert (place.folder / "two" / name).read_bytes() == (place.folder / "one" / name).read_bytes(), name
