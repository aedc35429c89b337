"""The command that users type: videos or a recipe in, one CSV of boxes out, whatever interrupts it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import ava_eval
from avdet.cli import detect_people
from avdet.config import load_config
from avdet.people.build_detector import build_trainable_detector, save_person_detector
from tests.conftest import REPOSITORY


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector that learned nothing, and so finds people everywhere."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("people") / "people.pt"
    detector = build_trainable_detector("torchvision", device="cpu", sample=True)
    detector.module.state_dict()["roi_heads.box_predictor.cls_score.bias"][1] = 3.0
    save_person_detector(path, detector)
    return path


@pytest.fixture
def recipe(tmp_path: Path, tiny_settings: tuple[str, ...]) -> str:
    overlay = REPOSITORY / "avdet/synthetic/recipes/detection.yaml"
    config = load_config(
        REPOSITORY / "configs/ava/avslowfast.yaml", overlays=(overlay,),
        overrides=(*tiny_settings, "data.val_boxes=made_here.csv"),
    )  # fmt: skip
    (tmp_path / "tiny.yaml").write_text(config.to_yaml())
    return str(tmp_path / "tiny.yaml")


def refused(capsys: pytest.CaptureFixture[str], *argv: object) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        detect_people.main([str(word) for word in argv])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1
    return said


def test_videos_become_rows_with_ids(sample: Path, weights: Path, tmp_path: Path) -> None:
    videos = [str(sample / f"videos/sample_val_0{k}.mp4") for k in range(2)]
    output = tmp_path / "out/boxes.csv"
    argv = [*videos, "--output", str(output), "--weights", str(weights), "--device", "cpu", "--keyframe-rate", "2"]
    assert detect_people.main(argv) == 0
    table = ava_eval.read_boxes(output)
    assert list(dict.fromkeys(table["video"].astype(str))) == ["sample_val_00", "sample_val_01"]
    assert np.array_equal(np.unique(table["timestamp"] * 2 % 1), [0.0]) and (table["score"] >= 0.05).all()
    assert (table["person_id"] >= 0).any()
    assert [path.name for path in output.parent.iterdir()] == ["boxes.csv"]


def test_a_recipes_keyframes_are_those_of_its_labels(sample: Path, recipe: str, tmp_path: Path) -> None:
    """Its own boxes file is not there yet: this makes it."""
    truth = sample / "annotations/ava_val_v2.2.csv"
    argv = [
        "--config",
        recipe,
        "--output",
        str(tmp_path / "b.csv"),
        "--person-detector",
        "ground_truth",
        "--weights",
        str(truth),
    ]
    assert detect_people.main(argv) == 0
    boxes, labels = ava_eval.read_boxes(tmp_path / "b.csv"), ava_eval.read_ground_truth(truth)
    people = labels.drop_duplicates(["video", "timestamp", "person_id"])
    assert len(boxes) == len(people)
    assert boxes["x1"].sum() == pytest.approx(people["x1"].sum(), abs=1e-3)


def test_an_interrupted_run_goes_on_to_the_same_end(
    sample: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = sorted((sample / "videos").glob("*.mp4"))[:3]
    argv = [*map(str, videos), "--weights", str(weights), "--device", "cpu", "--output"]
    assert detect_people.main([*argv, str(tmp_path / "whole.csv")]) == 0
    output = tmp_path / "boxes.csv"
    looked: list[Path] = []
    find = detect_people._detect_video

    def find_until_interrupted(job: detect_people.VideoJob, *rest: object) -> object:
        looked.append(job.video)
        if len(looked) == 2:
            raise KeyboardInterrupt
        return find(job, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(detect_people, "_detect_video", find_until_interrupted)
    assert detect_people.main([*argv, str(output)]) == 130
    assert "the same command resumes" in capsys.readouterr().out
    assert "other settings (keyframe_rate)" in refused(capsys, *argv, output, "--keyframe-rate", "2")
    assert detect_people.main([*argv, str(output)]) == 0
    assert "1 of 3 videos are already done" in capsys.readouterr().out
    assert looked == [videos[0], videos[1], videos[1], videos[2]]
    assert output.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert "exists and is finished" in refused(capsys, *argv, output)


def test_a_video_that_cannot_be_read_is_named_and_the_others_are_done(
    sample: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, good = tmp_path / "broken.mp4", sample / "videos/sample_val_00.mp4"
    broken.write_bytes(b"no video")
    argv = [broken, good, "--weights", weights, "--output", tmp_path / "boxes.csv"]
    assert "1 of 2 videos could not be read (broken.mp4)" in refused(capsys, *argv)
    assert set(ava_eval.read_boxes(tmp_path / "boxes.csv")["video"]) == {"sample_val_00"}
    broken.write_bytes(good.read_bytes())
    assert detect_people.main([str(word) for word in argv]) == 0
    assert set(ava_eval.read_boxes(tmp_path / "boxes.csv")["video"]) == {"sample_val_00", "broken"}


def test_a_video_that_was_replaced_is_looked_at_again(
    sample: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video, broken = tmp_path / "clip.mp4", tmp_path / "broken.mp4"
    video.write_bytes((sample / "videos/sample_val_00.mp4").read_bytes())
    broken.write_bytes(b"no video")
    argv = [
        video,
        broken,
        "--weights",
        weights,
        "--device",
        "cpu",
        "--keyframe-rate",
        "0.5",
        "--output",
        tmp_path / "boxes.csv",
    ]
    refused(capsys, *argv)
    refused(capsys, *argv)
    other = sample / "videos/sample_val_01.mp4"
    for path in (video, broken):
        path.write_bytes(other.read_bytes())
    assert detect_people.main([str(word) for word in argv]) == 0
    boxes = ava_eval.read_boxes(tmp_path / "boxes.csv")
    one, two = (boxes[boxes["video"] == name].drop(columns="video") for name in ("clip", "broken"))
    assert len(one) and one.reset_index(drop=True).equals(two.reset_index(drop=True))


def test_a_table_that_does_not_fit_the_videos_is_said(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = [sample / f"videos/sample_val_0{k}.mp4" for k in range(2)]
    table, output = tmp_path / "given.csv", tmp_path / "boxes.csv"
    argv = [*videos, "--output", output, "--person-detector", "csv", "--weights", table]
    table.write_text("sample_val_00,1,10,20,100,200,0.9\n")
    assert "given.csv has the row sample_val_00,1,10,20,100,200, a box in pixels" in refused(capsys, *argv)
    table.write_text("other,1,0.1,0.1,0.5,0.9,0.9\n")
    assert "given.csv has boxes of other, but none of sample_val_00" in refused(capsys, *argv)
    assert not output.exists()
    table.write_text("sample_val_00,1,0.1,0.1,0.5,0.9,0.9\n")
    assert detect_people.main([str(word) for word in argv]) == 0
    assert "given.csv has no box of sample_val_01" in capsys.readouterr().out.replace("\n", " ")


def test_what_users_get_wrong_is_said_in_one_sentence(
    sample: Path, weights: Path, recipe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video, output = sample / "videos/sample_val_00.mp4", ("--output", tmp_path / "boxes.csv")
    assert "no input; give video files" in refused(capsys, *output)
    assert "several videos are named" in refused(capsys, video, video, *output)
    assert "is one of the inputs" in refused(capsys, video, "--output", video)
    assert "--min-score is nan" in refused(capsys, video, *output, "--min-score", "nan")
    assert "--keyframe-rate is inf" in refused(capsys, video, *output, "--keyframe-rate", "inf")
    assert "--keyframe-rate is 0" in refused(capsys, video, *output, "--keyframe-rate", "0", "--weights", weights)
    assert "'clip.mp4' is no setting" in refused(capsys, "clip.mp4", "--config", recipe, *output)
    assert "nowhere (data.videos)" in refused(capsys, "data.videos=nowhere", "--config", recipe, *output)
    assert "no checkpoint at" in refused(
        capsys, video, *output, "--person-detector", "torchvision", "--weights", tmp_path / "no.pt"
    )
    assert not (tmp_path / "boxes.csv").exists()


def test_the_script_says_what_it_takes() -> None:
    script = REPOSITORY / "tools/detect_people.py"
    done = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=True)
    assert "--person-detector" in done.stdout and "--keyframe-rate" in done.stdout


def test_wrong_use_is_said_before_torch_is_imported() -> None:
    code = "import sys; from avdet.cli import detect_people, train_people; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0
