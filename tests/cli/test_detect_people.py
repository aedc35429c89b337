"""detect_people.py: videos or the keyframes of a config in, a CSV of boxes out, with interruptions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import ava_eval
from avdet.cli import detect_people
from avdet.cli.detect_people import main
from avdet.people.build_detector import build_trainable_detector, save_person_detector
from tests.cli.refusal import refusal
from tests.conftest import REPOSITORY
from tests.people.onnx_models import save_model


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A person detector with random weights and a bias towards persons, so that it detects some in every frame."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("people") / "people.pt"
    detector = build_trainable_detector("torchvision", device="cpu", sample=True)
    detector.module.state_dict()["roi_heads.box_predictor.cls_score.bias"][1] = 3.0
    save_person_detector(path, detector)
    return str(path)


@pytest.fixture(scope="module")
def videos(sample: Path) -> list[str]:
    return [str(path) for path in sorted((sample / "videos").glob("*.mp4"))[:3]]


def test_boxes_of_videos_have_ids(sample: Path, weights: str, tmp_path: Path) -> None:
    videos = [str(sample / f"videos/sample_val_0{number}.mp4") for number in range(2)]
    output = tmp_path / "out/boxes.csv"
    options = ["--weights", weights, "--device", "cpu", "--keyframe-rate", "2"]
    assert main([*videos, "--output", str(output), *options]) == 0
    table = ava_eval.read_boxes(output)
    assert list(dict.fromkeys(table["video"].astype(str))) == ["sample_val_00", "sample_val_01"]
    assert np.array_equal(np.unique(table["timestamp"] * 2 % 1), [0.0]) and (table["score"] >= 0.05).all()
    assert (table["person_id"] >= 0).any()
    assert [path.name for path in output.parent.iterdir()] == ["boxes.csv"]


def test_an_exported_detector_is_chosen_by_its_suffix(videos: list[str], tmp_path: Path) -> None:
    """The frames are 160 x 120: in the letterbox of 64 x 64 at y = 8 to 56."""
    pytest.importorskip("onnxruntime")
    outputs = {
        "output0": np.array([[[16, 8, 48, 32, 0.6, 0], [0, 8, 8, 32, 0.4, 0], [0, 8, 32, 56, 0.9, 16]]], np.float32)
    }
    model, output = save_model(tmp_path / "yolo.onnx", outputs), tmp_path / "boxes.csv"
    for options, box in (([], [0.25, 0, 0.75, 0.5, 0.6]), (["--person-class", "dog"], [0, 0, 0.5, 1, 0.9])):
        argv = [videos[0], "--output", str(output), "--person-weights", str(model), "--device", "cpu"]
        assert main([*argv, *options]) == 0
        table = ava_eval.read_boxes(output)
        assert len(table) == table["timestamp"].nunique()
        assert table[["x1", "y1", "x2", "y2", "score"]].iloc[0].tolist() == pytest.approx(box)
        output.unlink()


def test_a_config_s_keyframes_are_those_of_its_labels(sample: Path, tiny_config_file: str, tmp_path: Path) -> None:
    """The config's own val_boxes need not exist, because this tool creates them."""
    truth, output = sample / "annotations/ava_val_v2.2.csv", tmp_path / "boxes.csv"
    argv = ["--config", tiny_config_file, "data.val_boxes=missing.csv", "--person-detector", "ground_truth"]
    assert main([*argv, "--weights", str(truth), "--output", str(output)]) == 0
    boxes, labels = ava_eval.read_boxes(output), ava_eval.read_ground_truth(truth)
    persons = labels.drop_duplicates(["video", "timestamp", "person_id"])
    assert len(boxes) == len(persons)
    assert boxes["x1"].sum() == pytest.approx(persons["x1"].sum(), abs=1e-3)


def test_a_resumed_output_equals_an_uninterrupted_one(
    videos: list[str],
    weights: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    argv = [*videos, "--weights", weights, "--device", "cpu", "--output"]
    assert main([*argv, str(tmp_path / "whole.csv")]) == 0
    output = tmp_path / "boxes.csv"
    processed: list[str] = []
    detect_video = detect_people._detect_video

    def interrupted_at_second(job: detect_people.VideoJob, *others: object) -> object:
        processed.append(str(job.video))
        if len(processed) == 2:
            raise KeyboardInterrupt
        return detect_video(job, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(detect_people, "_detect_video", interrupted_at_second)
    assert main([*argv, str(output)]) == 130
    assert "the same command resumes" in capsys.readouterr().out
    assert "other settings (keyframe_rate)" in refusal(main, capsys, *argv, output, "--keyframe-rate", "2")
    assert main([*argv, str(output)]) == 0
    assert "1 of 3 videos are already done" in capsys.readouterr().out
    assert processed == [videos[0], videos[1], videos[1], videos[2]]
    assert output.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert "exists and is finished" in refusal(main, capsys, *argv, output)


def test_unreadable_videos_are_named_and_retried(
    sample: Path, weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, good, output = tmp_path / "broken.mp4", sample / "videos/sample_val_00.mp4", tmp_path / "boxes.csv"
    broken.write_bytes(b"no video")
    argv = [str(broken), str(good), "--weights", weights, "--output", str(output)]
    assert "1 of 2 videos could not be read (broken.mp4)" in refusal(main, capsys, *argv)
    assert set(ava_eval.read_boxes(output)["video"]) == {"sample_val_00"}
    broken.write_bytes(good.read_bytes())
    assert main(argv) == 0
    assert set(ava_eval.read_boxes(output)["video"]) == {"sample_val_00", "broken"}


def test_a_replaced_video_is_processed_again(
    sample: Path, weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video, broken, output = tmp_path / "clip.mp4", tmp_path / "broken.mp4", tmp_path / "boxes.csv"
    video.write_bytes((sample / "videos/sample_val_00.mp4").read_bytes())
    broken.write_bytes(b"no video")
    options = ["--weights", weights, "--device", "cpu", "--keyframe-rate", "0.5"]
    argv = [str(video), str(broken), *options, "--output", str(output)]
    refusal(main, capsys, *argv)
    refusal(main, capsys, *argv)
    for path in (video, broken):
        path.write_bytes((sample / "videos/sample_val_01.mp4").read_bytes())
    assert main(argv) == 0
    boxes = ava_eval.read_boxes(output)
    first, second = (boxes[boxes["video"] == name].drop(columns="video") for name in ("clip", "broken"))
    assert len(first) and first.reset_index(drop=True).equals(second.reset_index(drop=True))


def test_a_table_of_boxes_must_match_the_videos(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = [str(sample / f"videos/sample_val_0{number}.mp4") for number in range(2)]
    table, output = tmp_path / "given.csv", tmp_path / "boxes.csv"
    argv = [*videos, "--output", str(output), "--person-detector", "csv", "--weights", str(table)]
    table.write_text("sample_val_00,1,10,20,100,200,0.9\n")
    assert "given.csv has the row sample_val_00,1,10,20,100,200, a box in pixels" in refusal(main, capsys, *argv)
    table.write_text("other,1,0.1,0.1,0.5,0.9,0.9\n")
    assert "given.csv has boxes of other, but none of sample_val_00" in refusal(main, capsys, *argv)
    assert not output.exists()
    table.write_text("sample_val_00,1,0.1,0.1,0.5,0.9,0.9\n")
    assert main(argv) == 0
    assert "given.csv has no box of sample_val_01" in capsys.readouterr().out.replace("\n", " ")


def test_wrong_usage(
    videos: list[str], weights: str, tiny_config_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video, config, output = videos[0], ["--config", tiny_config_file], tmp_path / "boxes.csv"
    for options, message in (
        ([], "no input; give video files"),
        ([video, video], "several videos are named"),
        ([video, "--output", video], "is one of the inputs"),
        ([video, "--min-score", "nan"], "--min-score is nan"),
        ([video, "--keyframe-rate", "inf"], "--keyframe-rate is inf"),
        ([video, "--keyframe-rate", "0", "--weights", weights], "--keyframe-rate is 0"),
        (["clip.mp4", *config], "'clip.mp4' is not a setting"),
        (["data.videos=nowhere", *config], "nowhere (data.videos)"),
        ([video, "--person-detector", "torchvision", "--weights", tmp_path / "no.pt"], "no checkpoint at"),
    ):
        assert message in refusal(main, capsys, "--output", output, *options)
    assert not output.exists()


def test_the_script_has_help() -> None:
    script = REPOSITORY / "tools/detect_people.py"
    done = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=True)
    assert "--person-detector" in done.stdout and "--keyframe-rate" in done.stdout


def test_torch_is_not_imported_with_the_tools() -> None:
    code = "import sys; from avdet.cli import detect_people, train_people; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0
