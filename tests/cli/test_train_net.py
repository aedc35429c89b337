"""The command that users type, end to end on a tiny sample: trains, evaluates, resumes, and refuses in one sentence."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import ava_eval
from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.cli import detect_actions, test_net, train_net
from avdet.config import load_config
from tests.conftest import REPOSITORY

RECIPE = str(REPOSITORY / "configs/ava/avslowfast.yaml")
AFTER_FIRST_EPOCH = 4  # lines of metrics: an epoch of the tiny sample is two iterations
OVERLAY = REPOSITORY / "avdet/synthetic/recipes/detection.yaml"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    """A run directory of two epochs."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    assert train_net.main(["--config", recipe(folder.parent, sample), "--output", str(folder)]) == 0
    return folder


def recipe(folder: Path, sample: Path) -> str:
    """The shipped recipe scaled down to seconds, as a file."""
    from tests.conftest import TINY_DATA, TINY_MODEL, TINY_TRAINING

    places = (f"data.videos={sample / 'videos'}", f"data.annotations={sample / 'annotations'}")
    config = load_config(
        Path(RECIPE), overlays=(OVERLAY,), overrides=(*places, *TINY_MODEL, *TINY_DATA, *TINY_TRAINING)
    )
    path = folder / "tiny.yaml"
    path.write_text(config.to_yaml())
    return str(path)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(folder / "checkpoints/last.pt").model_state


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        train_net.main(list(argv))
    assert stopped.value.code == 2
    sentence = capsys.readouterr().err
    assert sentence.startswith("error: ")
    assert sentence.count("\n") == 1
    return sentence


def test_a_run_directory_holds_everything(trained: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    assert {"config.yaml", "metrics.jsonl", "detections.csv", "results.json", "annotated.mp4", "checkpoints"} <= names
    assert any(name.startswith("events.out.tfevents") for name in names)
    results = json.loads((trained / "results.json").read_text())
    assert {"detection", "seed", "command", "versions", "git_revision", "data_fingerprint"} <= results.keys()
    lines = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert [line["mAP"] for line in lines if "mAP" in line][-1] == results["detection"]["mAP"]
    assert all({"lr", "loss/action", "data_s", "step_s"} <= line.keys() for line in lines if "mAP" not in line)
    assert load_config(trained / "config.yaml").to_yaml() == (trained / "config.yaml").read_text()


def test_the_evaluator_alone_finds_the_same_numbers(trained: Path, sample: Path) -> None:
    annotations = sample / "annotations"
    result = ava_eval.evaluate(
        ava_eval.read_ground_truth(annotations / "ava_val_v2.2.csv"),
        ava_eval.read_detections(trained / "detections.csv"),
        ava_eval.read_label_map(annotations / "ava_action_list_v2.2.pbtxt"),
        excluded=ava_eval.read_excluded(annotations / "ava_val_excluded_timestamps_v2.2.csv"),
    )
    assert result.mean_ap == json.loads((trained / "results.json").read_text())["detection"]["mAP"]


def test_test_net_repeats_the_numbers_of_the_run(trained: Path, tmp_path: Path) -> None:
    argv = ["--config", str(trained / "config.yaml"), "--checkpoint", str(trained / "checkpoints/last.pt")]
    assert test_net.main([*argv, "--output", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again/detections.csv").read_bytes() == (trained / "detections.csv").read_bytes()


def test_a_checkpoint_of_other_classes_is_not_tested(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classes = tmp_path / "classes.txt"
    classes.write_text("juggle\nsneeze\n")
    argv = ["--config", str(trained / "config.yaml"), "--checkpoint", str(trained / "checkpoints/last.pt")]
    truth, boxes = tmp_path / "val.csv", tmp_path / "boxes.csv"
    truth.write_text("sample_val_00,2,0.1,0.1,0.5,0.9,1,0\n")
    boxes.write_text("sample_val_00,2,0.1,0.1,0.5,0.9,0.99\n")
    data = [f"data.label_map={classes}", f"data.val_csv={truth}", f"data.val_boxes={boxes}"]
    with pytest.raises(SystemExit) as stopped:
        test_net.main([*argv, "--output", str(tmp_path / "out"), *data])
    assert stopped.value.code == 2
    assert "trained on other classes" in capsys.readouterr().err


def test_the_same_seed_gives_the_same_weights_and_another_does_not(trained: Path, tmp_path: Path, sample: Path) -> None:
    config = recipe(tmp_path, sample)
    train_net.main(["--config", config, "--output", str(tmp_path / "same")])
    train_net.main(["--config", config, "--output", str(tmp_path / "other"), "seed=1", "train.epochs=1"])
    first, same, other = weights(trained), weights(tmp_path / "same"), weights(tmp_path / "other")
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_resumes_to_the_same_end(
    trained: Path, tmp_path: Path, sample: Path, number: signal.Signals
) -> None:
    config, output = recipe(tmp_path, sample), tmp_path / "run"
    command = [sys.executable, str(REPOSITORY / "tools/train_net.py"), "--config", config, "--output", str(output)]
    log_every_step = ["train.log_every=1"]
    with subprocess.Popen([*command, *log_every_step], stdout=subprocess.DEVNULL, text=True) as process:
        wait_for(lambda: (output / "checkpoints/last.pt").exists() and lines_of(output) >= AFTER_FIRST_EPOCH)
        os.kill(process.pid, number)
        assert process.wait() == (130 if number == signal.SIGINT else -number)
    subprocess.run([*command, "--resume"], check=True, stdout=subprocess.DEVNULL)
    assert all(torch.equal(value, weights(output)[name]) for name, value in weights(trained).items())
    assert (output / "detections.csv").read_bytes() == (trained / "detections.csv").read_bytes()


def lines_of(output: Path) -> int:
    return len((output / "metrics.jsonl").read_text().splitlines())


def wait_for(happens: object, limit_s: float = 120.0) -> None:
    assert callable(happens)
    end = time.monotonic() + limit_s
    while not happens():
        assert time.monotonic() < end, f"did not happen in {limit_s} s"
        time.sleep(0.02)


def test_missing_data_is_said_at_once_and_points_to_the_sample() -> None:
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "tools/train_net.py"), "--config", RECIPE, "data.videos=nowhere"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert time.perf_counter() - begin < 10  # a second on a machine of its own
    assert done.returncode == 2
    assert "nowhere" in done.stderr and "docs/data.md" in done.stderr and "--sample" in done.stderr
    assert "torch" not in done.stderr and "Traceback" not in done.stderr


def test_what_users_get_wrong_is_said_in_one_sentence(
    capsys: pytest.CaptureFixture[str], trained: Path, tmp_path: Path, sample: Path
) -> None:
    config = recipe(tmp_path, sample)
    assert "did you mean model.width" in refused(capsys, "--config", config, "model.widht=4")
    assert "not usable" in refused(capsys, "--config", config, "train.lr=fast")
    assert "No config at" in refused(capsys, "--config", str(tmp_path / "none.yaml"))
    assert "already holds a run" in refused(capsys, "--config", config, "--output", str(trained))
    assert "--dry-run keeps no files" in refused(capsys, "--config", config, "--dry-run", "--resume")
    assert "no checkpoint" in refused(capsys, "--config", config, "--output", str(tmp_path / "x"), "--resume")
    other = (f"model.weights={trained / 'checkpoints/last.pt'}", "model.width=16")
    assert "another architecture" in refused(capsys, "--config", config, "--output", str(tmp_path / "y"), *other)
    assert "no checkpoint at" in refused(
        capsys, "--config", config, "--output", str(tmp_path / "z"), f"model.weights={tmp_path / 'no.pt'}"
    )


@pytest.mark.parametrize(
    ("file", "row", "sentence"),
    [
        ("ava_train_v2.2.csv", "sample_train_00,0002,0.1,0.1,0.2,0.2", "line"),  # 6 columns
        ("ava_train_v2.2.csv", "sample_train_00,0002,0.5,0.1,0.2,0.2,12,0", "x1"),  # x1 > x2
        ("ava_train_v2.2.csv", "sample_train_00,0902,0.1,0.1,0.2,0.2,12,0", "902 s of"),  # past the movie's end
        (
            "ava_train_v2.2.csv",
            "sample_train_00,0002,0.1,0.1,0.2,0.2,81,0",
            "81 (1 row) not in the label map, which has 11 to 79",
        ),
        ("ava_val_predicted_boxes.csv", "sample_val_00,2,0.1,0.1,0.2", "line"),
    ],
)
def test_a_bad_row_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, sample: Path, file: str, row: str, sentence: str
) -> None:
    annotations = tmp_path / "annotations"
    annotations.mkdir()
    for path in (sample / "annotations").iterdir():
        (annotations / path.name).write_bytes(path.read_bytes())
    with (annotations / file).open("a") as table:
        table.write(row + "\n")
    argv = ("--config", recipe(tmp_path, sample), "--output", str(tmp_path / "run"), f"data.annotations={annotations}")
    said = refused(capsys, *argv)
    assert sentence in said and file in said
    assert not (tmp_path / "run" / "config.yaml").exists()


def test_detect_actions_writes_a_table_and_a_video(trained: Path, tmp_path: Path, sample: Path) -> None:
    video = sample / "videos/sample_val_00.mp4"
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("sample_val_00,1.5,0.1,0.1,0.6,0.9,0.95,4\nsample_val_00,2.25,0.1,0.1,0.6,0.9,0.95,4\n")
    argv = [str(video), "--checkpoint", str(trained / "checkpoints/last.pt"), "--output", str(tmp_path / "out")]
    assert detect_actions.main([*argv, "--boxes", str(boxes), "--min-score", "0"]) == 0
    table = ava_eval.read_detections(tmp_path / "out/detections.csv")
    assert sorted(set(table["timestamp"])) == [1.5, 2.25]
    assert len(table) == 2 * 9 and set(table["person_id"]) == {4}
    assert (tmp_path / "out/sample_val_00.mp4").stat().st_size > 1000


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("sample_val_00,55,0.1,0.1,0.6,0.9,0.95\n", "lasts"),
        ("another,1,0.1,0.1,0.6,0.9,0.95\n", "name nobody in 'sample_val_00'"),
        ("sample_val_00,1,10,10,40,40,0.95\n", "boxes are shares of the frame"),
    ],
)
def test_detect_actions_refuses_boxes_that_do_not_fit(
    capsys: pytest.CaptureFixture[str], trained: Path, tmp_path: Path, sample: Path, rows: str, sentence: str
) -> None:
    boxes = tmp_path / "boxes.csv"
    boxes.write_text(rows)
    video, checkpoint = sample / "videos/sample_val_00.mp4", trained / "checkpoints/last.pt"
    with pytest.raises(SystemExit) as stopped:
        detect_actions.main(
            [str(video), "--checkpoint", str(checkpoint), "--output", str(tmp_path / "out"), "--boxes", str(boxes)]
        )
    assert stopped.value.code == 2
    assert sentence in capsys.readouterr().err
