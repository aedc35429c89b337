"""People found on the way: by a detector, or by a table whose boxes have no ids yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

import ava_eval
from avdet.checkpoints.checkpoint_io import save_checkpoint
from avdet.cli import detect_actions
from avdet.config import Config
from avdet.inference import resumable_output
from avdet.inference.detector import ActionDetector
from avdet.inference.predictions import PersonPredictions
from avdet.inference.video_names import VideoJob
from avdet.models.build import build_model
from avdet.people.build_detector import build_trainable_detector, save_person_detector


@pytest.fixture
def checkpoint(tmp_path: Path, tiny_config: Config) -> str:
    """An action detector with random weights."""
    torch.manual_seed(0)
    classes = tiny_config.detection_dataset().class_names()
    model = build_model(tiny_config.model, num_classes=len(classes), head="roi")
    path = tmp_path / "actions.pt"
    save_checkpoint(
        path, model_state=model.state_dict(), config=tiny_config.model_dump(mode="json"), class_names=classes.label_map
    )
    return str(path)


@pytest.fixture
def people(tmp_path: Path) -> str:
    torch.manual_seed(0)
    path = tmp_path / "people.pt"
    save_person_detector(path, build_trainable_detector("torchvision", device="cpu", sample=True))
    return str(path)


def test_people_are_found_followed_and_judged(sample: Path, checkpoint: str, people: str, tmp_path: Path) -> None:
    video, out = sample / "videos/sample_val_00.mp4", tmp_path / "out"
    options = ["--min-box-score", "0.4", "--min-score", "0", "--smooth-window", "2", "--keyframe-rate", "0.5"]
    argv = [str(video), "--checkpoint", checkpoint, "--person-weights", people, "--output", str(out), *options]
    assert detect_actions.main(argv) == 0
    boxes, detections = ava_eval.read_boxes(out / "boxes.csv"), ava_eval.read_detections(out / "detections.csv")
    judged = boxes[boxes["score"] >= 0.4]
    assert len(detections) == 9 * len(judged) > 0
    assert set(detections["person_id"]) == set(judged["person_id"])
    tubes = pd.read_csv(out / "tubes.csv")
    assert {"video", "person_id", "action", "start_s", "end_s", "score"} <= set(tubes.columns)
    assert set(tubes["person_id"]) == set(judged["person_id"]) - {-1}
    assert (out / "sample_val_00.mp4").stat().st_size > 1000


def test_boxes_without_ids_are_linked(sample: Path, checkpoint: str, tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("".join(f"sample_val_00,{t},{x},0.1,{x + 0.3},0.9,0.95\n" for t in (1, 2, 3) for x in (0.1, 0.6)))
    out = tmp_path / "out"
    argv = [str(sample / "videos/sample_val_00.mp4"), "--checkpoint", checkpoint, "--boxes", str(boxes)]
    assert detect_actions.main([*argv, "--output", str(out)]) == 0
    left = ava_eval.read_detections(out / "detections.csv").groupby("person_id")["x1"]
    assert left.min().tolist() == left.max().tolist() == pytest.approx([0.1, 0.6])


def test_ctrl_c_says_how_much_is_done(
    sample: Path, checkpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = [str(sample / f"videos/sample_val_0{number}.mp4") for number in (0, 1)]
    boxes, out = tmp_path / "boxes.csv", tmp_path / "out"
    boxes.write_text("sample_val_00,2,0.1,0.1,0.5,0.9,0.95\nsample_val_01,2,0.1,0.1,0.5,0.9,0.95\n")
    argv = [*videos, "--checkpoint", checkpoint, "--boxes", str(boxes), "--output", str(out), "--no-video"]
    predict_video = resumable_output.predict_video

    def until_the_second(detector: ActionDetector, job: VideoJob, *others: Any) -> PersonPredictions:  # noqa: ANN401
        if job.path == Path(videos[1]):
            raise KeyboardInterrupt
        return predict_video(detector, job, *others)

    monkeypatch.setattr(resumable_output, "predict_video", until_the_second)
    assert detect_actions.main(argv) == 130
    said = capsys.readouterr().out
    assert "1 of 2 videos are in" in said and "the same command resumes" in said
    monkeypatch.undo()
    assert detect_actions.main(argv) == 0
    said = capsys.readouterr().out
    assert "already done" in said and "2 of 2 videos are in" in said


def test_what_users_get_wrong_is_said_in_one_sentence(
    sample: Path, checkpoint: str, people: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [str(sample / "videos/sample_val_00.mp4"), "--checkpoint", checkpoint, "--output", str(tmp_path / "out")]
    for more, sentence in [
        (
            ["--boxes", "b.csv", "--person-weights", people],
            "--person-weights has no effect",
        ),
        (["--person-weights", people, "--min-box-score", "1.0"], "lower --min-box-score"),
        (["--person-weights", people, "--start", "nan"], "the start is nan s and the end None s"),
        (["--person-weights", people, "--min-score", "nan"], "--min-score is nan; give a number"),
        (["--output", people], "is a file; give a folder"),
        (
            ["--person-weights", people, "--person-detector", "detectron2"],
            "is a torchvision detector, not a detectron2 one",
        ),
    ]:
        with pytest.raises(SystemExit) as stopped:
            detect_actions.main([*argv, *more])
        assert stopped.value.code == 2
        said = capsys.readouterr().err
        assert sentence in said and said.startswith("error: ") and said.count("\n") == 1
