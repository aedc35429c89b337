"""detect_actions.py on one video, with a person detector or with a table of boxes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import ava_eval
from avdet.cli.detect_actions import main
from avdet.inference import resumable_output
from avdet.inference.detector import ActionDetector
from avdet.inference.predictions import PersonPredictions
from avdet.inference.video_names import VideoJob
from tests.checkpoints.reference_names import AVA_CONFIG, mmaction2, slowfast
from tests.cli.refusal import refusal
from tests.inference.tiny_detector import write_noise_video


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_noise_video(tmp_path_factory.mktemp("videos") / "clip.mp4", 4))


def test_persons_are_detected_linked_and_scored(
    video: str, action_checkpoint: str, person_checkpoint: str, tmp_path: Path
) -> None:
    options = ["--min-box-score", "0.4", "--min-score", "0", "--smooth-window", "2", "--keyframe-rate", "0.5"]
    argv = [video, "--checkpoint", action_checkpoint, "--person-weights", person_checkpoint, *options]
    assert main([*argv, "--output", str(tmp_path)]) == 0
    boxes, detections = (
        ava_eval.read_boxes(tmp_path / "boxes.csv"),
        ava_eval.read_detections(tmp_path / "detections.csv"),
    )
    scored = boxes[boxes["score"] >= 0.4]
    assert len(detections) == 9 * len(scored) > 0
    assert set(detections["person_id"]) == set(scored["person_id"])
    tubes = pd.read_csv(tmp_path / "tubes.csv")
    assert {"video", "person_id", "action", "start_s", "end_s", "score"} <= set(tubes.columns)
    assert set(tubes["person_id"]) == set(scored["person_id"]) - {-1}
    assert (tmp_path / "clip.mp4").stat().st_size > 1000


def test_boxes_without_ids_are_linked(video: str, action_checkpoint: str, tmp_path: Path) -> None:
    boxes, output = tmp_path / "boxes.csv", tmp_path / "out"
    boxes.write_text("".join(f"clip,{t},{x},0.1,{x + 0.3},0.9,0.95\n" for t in (1, 2, 3) for x in (0.1, 0.6)))
    assert main([video, "--checkpoint", action_checkpoint, "--boxes", str(boxes), "--output", str(output)]) == 0
    x1 = ava_eval.read_detections(output / "detections.csv").groupby("person_id")["x1"]
    assert x1.min().tolist() == x1.max().tolist() == pytest.approx([0.1, 0.6])


def test_the_models_frames_have_the_given_short_side(video: str, action_checkpoint: str, tmp_path: Path) -> None:
    boxes, output = tmp_path / "boxes.csv", tmp_path / "out"
    boxes.write_text("clip,1,0.1,0.1,0.6,0.9,0.95\n")
    argv = [video, "--checkpoint", action_checkpoint, "--boxes", str(boxes), "--output", str(output), "--no-video"]
    assert main([*argv, "--short-side", "40", "--precision", "float32"]) == 0
    detector = ActionDetector.from_checkpoint(action_checkpoint, precision="float32")
    default = detector.detect(video, ava_eval.read_boxes(boxes))["score"].to_numpy()
    detector.short_side = 40
    expected = detector.detect(video, ava_eval.read_boxes(boxes))["score"].to_numpy()
    found = ava_eval.read_detections(output / "detections.csv")["score"].to_numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(found - default).max() > 1e-4


def test_label_files_of_yolo_are_boxes(video: str, action_checkpoint: str, tmp_path: Path) -> None:
    """Persons in every frame, and dogs; one keyframe per second is used."""
    labels, output = tmp_path / "labels", tmp_path / "out"
    labels.mkdir()
    for frame in range(1, 9):
        (labels / f"clip_{frame}.txt").write_text("0 0.5 0.5 0.5 0.5 0.9\n16 0.2 0.2 0.2 0.2 0.8\n")
    argv = [video, "--checkpoint", action_checkpoint, "--boxes", str(labels), "--output", str(output), "--no-video"]
    for options, box in (([], [0.25, 0.25, 0.75, 0.75]), (["--person-class", "dog"], [0.1, 0.1, 0.3, 0.3])):
        assert main([*argv, *options]) == 0
        boxes = ava_eval.read_boxes(output / "boxes.csv")
        assert boxes["timestamp"].nunique() == len(boxes) > 1
        assert boxes[["x1", "y1", "x2", "y2"]].iloc[0].tolist() == pytest.approx(box)
        shutil.rmtree(output)


@pytest.mark.parametrize("code_base", ["PySlowFast", "MMAction2"])
def test_a_public_checkpoint_is_used_as_it_is(video: str, tmp_path: Path, code_base: str) -> None:
    content: dict[str, Any] = {"model_state": slowfast(), "cfg": AVA_CONFIG}
    if code_base == "MMAction2":
        content = {"state_dict": mmaction2(slowfast(), detector=True), "meta": {}}
    checkpoint, boxes = tmp_path / "public.pth", tmp_path / "boxes.csv"
    torch.save(content, checkpoint)
    boxes.write_text("clip,1,0.1,0.1,0.6,0.9,0.95\n")
    argv = [video, "--checkpoint", str(checkpoint), "--boxes", str(boxes), "--output", str(tmp_path / "out")]
    assert main([*argv, "--no-video"]) == 0
    detections = ava_eval.read_detections(tmp_path / "out" / "detections.csv")
    assert set(detections["action_id"]) == {1, 2, 3}


def test_a_classifier_is_refused_before_a_person_detector_is_built(
    video: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avdet.people.build_detector.build_person_detector", None)
    text = AVA_CONFIG.replace("ENABLE: true", "ENABLE: false").replace("sigmoid", "softmax")
    torch.save({"model_state": slowfast(), "cfg": text}, tmp_path / "k400.pyth")
    message = refusal(main, capsys, video, "--checkpoint", tmp_path / "k400.pyth", "--output", tmp_path / "out")
    assert "k400.pyth classifies whole clips (kinetics) and detects no persons" in message


def test_boxes_keep_their_times_and_ids(trained_run: Path, tmp_path: Path, sample: Path) -> None:
    boxes, output = tmp_path / "boxes.csv", tmp_path / "out"
    boxes.write_text("sample_val_00,1.5,0.1,0.1,0.6,0.9,0.95,4\nsample_val_00,2.25,0.1,0.1,0.6,0.9,0.95,4\n")
    argv = [str(sample / "videos/sample_val_00.mp4"), "--checkpoint", str(trained_run / "checkpoints/last.pt")]
    assert main([*argv, "--output", str(output), "--boxes", str(boxes), "--min-score", "0"]) == 0
    table = ava_eval.read_detections(output / "detections.csv")
    assert sorted(set(table["timestamp"])) == [1.5, 2.25]
    assert len(table) == 2 * 9 and set(table["person_id"]) == {4}
    assert (output / "sample_val_00.mp4").stat().st_size > 1000


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("clip,55,0.1,0.1,0.6,0.9,0.95\n", "which ends at 4.0 s"),
        ("other,1,0.1,0.1,0.6,0.9,0.95\n", "there are no boxes of 'clip'"),
        ("clip,1,10,10,40,40,0.95\n", "a box in pixels; boxes must be normalised"),
    ],
)
def test_boxes_that_do_not_match_the_video_are_refused(
    video: str, action_checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], row: str, message: str
) -> None:
    boxes = tmp_path / "boxes.csv"
    boxes.write_text(row)
    argv = [video, "--checkpoint", action_checkpoint, "--output", tmp_path / "out", "--boxes", boxes]
    assert message in refusal(main, capsys, *argv)


def test_an_interrupted_command_is_resumed(
    video: str,
    action_checkpoint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    second = write_noise_video(tmp_path / "second.mp4", 4)
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("clip,2,0.1,0.1,0.5,0.9,0.95\nsecond,2,0.1,0.1,0.5,0.9,0.95\n")
    argv = [video, str(second), "--checkpoint", action_checkpoint, "--boxes", str(boxes), "--no-video"]
    argv += ["--output", str(tmp_path / "out")]
    predict_video = resumable_output.predict_video

    def interrupted_at_second(detector: ActionDetector, job: VideoJob, *others: Any) -> PersonPredictions:  # noqa: ANN401
        if job.path == second:
            raise KeyboardInterrupt
        return predict_video(detector, job, *others)

    monkeypatch.setattr(resumable_output, "predict_video", interrupted_at_second)
    assert main(argv) == 130
    output = capsys.readouterr().out
    assert "1 of 2 videos are in" in output and "the same command resumes" in output
    monkeypatch.undo()
    assert main(argv) == 0
    output = capsys.readouterr().out
    assert "already done" in output and "2 of 2 videos are in" in output


def test_wrong_usage(
    video: str, action_checkpoint: str, person_checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [video, "--checkpoint", action_checkpoint, "--output", tmp_path / "out"]
    persons = ["--person-weights", person_checkpoint]
    for options, message in [
        (["--boxes", "b.csv", *persons], "--person-weights has no effect"),
        (["--boxes", "b.csv", "--person-detector", "torchvision"], "--person-detector has no effect"),
        ([*persons, "--min-box-score", "1.0"], "lower --min-box-score"),
        ([*persons, "--start", "nan"], "the start is nan s and the end None s"),
        ([*persons, "--min-score", "nan"], "--min-score is nan; give a number"),
        (["--output", person_checkpoint], "is a file; give a folder"),
        ([*persons, "--person-detector", "detectron2"], "is a torchvision detector, not a detectron2 one"),
        ([*persons, "--short-side", "31"], "--short-side is 31; give 32 pixels or more"),
        (["--rate", "2"], "unknown option --rate; did you mean --keyframe-rate?"),
    ]:
        assert message in refusal(main, capsys, *argv, *options)
