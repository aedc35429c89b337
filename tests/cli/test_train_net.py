"""train_net.py on a tiny sample set: training, resuming, and wrong usage."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from _pytest.mark import ParameterSet
from torch.optim.optimizer import register_optimizer_step_post_hook

import ava_eval
from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.cli.config_arguments import sample_recipe
from avdet.cli.train_net import main
from avdet.config import Config, load_config
from tests.cli.refusal import refusal
from tests.conftest import REPOSITORY, TINY_DATA, TINY_MODEL
from tests.synthetic.tiny import TINY_CLIPS

TOOL = [sys.executable, str(REPOSITORY / "tools/train_net.py")]
AVA_CONFIG = str(REPOSITORY / "configs/ava/avslowfast.yaml")
CONFIGS = sorted((REPOSITORY / "configs").rglob("*.yaml"), key=lambda path: ("ablations" in path.parts, path))
KILLS = 20


def weights(run: Path, name: str = "last.pt") -> dict[str, torch.Tensor]:
    return load_checkpoint(run / "checkpoints" / name).model_state


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_run_directory(trained_run: Path) -> None:
    names = {path.name for path in trained_run.iterdir()}
    assert {"config.yaml", "metrics.jsonl", "detections.csv", "results.json", "annotated.mp4", "checkpoints"} <= names
    assert any(name.startswith("events.out.tfevents") for name in names)
    results = json.loads((trained_run / "results.json").read_text())
    assert {"detection", "seed", "command", "versions", "git_revision", "data_fingerprint"} <= results.keys()
    lines = [json.loads(line) for line in (trained_run / "metrics.jsonl").read_text().splitlines()]
    assert [line["mAP"] for line in lines if "mAP" in line][-1] == results["detection"]["mAP"]
    assert all({"lr", "loss/action", "data_s", "step_s"} <= line.keys() for line in lines if "mAP" not in line)
    assert load_config(trained_run / "config.yaml").to_yaml() == (trained_run / "config.yaml").read_text()


def test_ava_eval_returns_the_run_s_map(trained_run: Path, sample: Path) -> None:
    annotations = sample / "annotations"
    result = ava_eval.evaluate(
        ava_eval.read_ground_truth(annotations / "ava_val_v2.2.csv"),
        ava_eval.read_detections(trained_run / "detections.csv"),
        ava_eval.read_label_map(annotations / "ava_action_list_v2.2.pbtxt"),
        excluded=ava_eval.read_excluded(annotations / "ava_val_excluded_timestamps_v2.2.csv"),
    )
    assert result.mean_ap == json.loads((trained_run / "results.json").read_text())["detection"]["mAP"]


def test_the_seed_determines_the_weights(trained_run: Path, tiny_config_file: str, tmp_path: Path) -> None:
    for name, options in (("same", ()), ("other", ("seed=1", "train.epochs=1"))):
        main(["--config", tiny_config_file, "--output", str(tmp_path / name), *options])
    assert equal(weights(tmp_path / "same"), weights(trained_run))
    assert not equal(weights(tmp_path / "other"), weights(trained_run))


class CrashError(Exception):
    """Stands for whatever ends a process without warning."""


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def crash() -> None:
    raise CrashError


@pytest.mark.parametrize("stop", [interrupt, pytest.param(crash, marks=pytest.mark.slow)])
def test_a_resumed_run_equals_an_uninterrupted_one(
    trained_run: Path, tiny_config_file: str, tmp_path: Path, stop: Callable[[], None]
) -> None:
    """The run stops in the middle of the second epoch; a crash loses the steps since the last checkpoint."""
    run = tmp_path / "run"
    stops = [stop]

    def after_step(*_: object) -> None:
        if stops and (run / "checkpoints/last.pt").exists():
            stops.pop()()

    argv = ["--config", tiny_config_file, "--output", str(run)]
    hook = register_optimizer_step_post_hook(after_step)
    try:
        assert main(argv) == 130
    except CrashError:
        assert stop is crash
    finally:
        hook.remove()
    assert not stops and not (run / "results.json").exists()
    assert main([*argv, "--resume"]) == 0
    assert equal(weights(run), weights(trained_run))
    assert (run / "detections.csv").read_bytes() == (trained_run / "detections.csv").read_bytes()


@pytest.mark.slow
def test_a_run_survives_kills_at_random_times(tiny_config: Config, tmp_path: Path) -> None:
    """Also while it saves, after each epoch of two steps. The last resume runs to the end."""
    longer = tiny_config.train.model_copy(update={"epochs": 60, "eval_every": 20, "ema": 0.9, "keep_checkpoints": 2})
    config = tmp_path / "config.yaml"
    config.write_text(tiny_config.model_copy(update={"train": longer}).to_yaml())
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command = [*TOOL, "--config", str(config), "--output"]
    subprocess.run([*command, str(whole)], check=True, stdout=subprocess.DEVNULL)
    rng = random.Random(0)
    for kill in range(KILLS):
        assert not kill_after_start([*command, str(killed)], killed, rng.uniform(0.0, 1.5)), f"ended before kill {kill}"
    subprocess.run([*command, str(killed), "--resume"], check=True, stdout=subprocess.DEVNULL)
    for name in ("last.pt", "best.pt"):
        assert equal(weights(whole, name), weights(killed, name)), name
    assert (killed / "detections.csv").read_bytes() == (whole / "detections.csv").read_bytes()
    names = ["best.pt", "last-1.pt", "last-2.pt", "last.pt"]
    assert sorted(path.name for path in (killed / "checkpoints").iterdir()) == names


def kill_after_start(command: list[str], run: Path, delay_s: float) -> bool:
    """Starts or resumes a run and kills it `delay_s` after its first message; returns whether it ended before that."""
    resume = ["--resume"] if (run / "checkpoints/last.pt").exists() else []
    if not resume:
        (run / "config.yaml").unlink(missing_ok=True)  # killed before the first checkpoint: the run starts again
    with subprocess.Popen([*command, *resume], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "sanity check passed" in line or "resumed" in line:
                break
        time.sleep(delay_s)
        ended = process.poll() is not None
        process.kill()
    return ended


def distinct_configs() -> Iterator[ParameterSet]:
    """One config of all that --sample makes equal but for their names: they run the same code.

    Ablations are slow: each changes one setting of a config that is checked, and the settings have tests of their own.
    """
    seen: set[str] = set()
    for path in CONFIGS:
        name, is_ablation = f"{path.parent.name}/{path.stem}", path.parent.name == "ablations"
        config = load_config(path)
        scaled = repr(load_config(path, overlays=(sample_recipe(config.dataset()),)).model_copy(update={"name": ""}))
        if scaled not in seen:
            yield pytest.param(path, id=name, marks=[pytest.mark.slow] if is_ablation else [])
        seen.add(scaled)


@pytest.mark.parametrize("path", list(distinct_configs()))
def test_every_config_passes_the_sanity_check(
    path: Path, sample: Path, clip_sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = load_config(path).dataset()
    overlay = sample_recipe(dataset)
    data = load_config(path, overlays=(overlay,)).data
    detects = dataset.sample_set == "detection"
    sizes: tuple[str, ...] = (*TINY_MODEL, *TINY_DATA) if detects else TINY_CLIPS
    videos = sample / "videos" if detects else clip_sample / data.videos.name
    annotations = sample / "annotations" if detects else clip_sample / "annotations" / data.annotations.name
    steps = ("train.batch_size=4", "train.base_batch_size=4", "train.precise_bn_clips=4")
    folders = [f"data.videos={videos}", f"data.annotations={annotations}"]
    if data.kind == "folders":
        folders.append("data.val_folder=drawn")  # the tiny set's val has classes that its train lacks
    tiny = tmp_path / "config.yaml"
    tiny.write_text(load_config(path, overlays=(overlay,), overrides=(*sizes, *steps, *folders)).to_yaml())
    assert main(["--config", str(tiny), "--dry-run"]) == 0
    assert "sanity check passed" in capsys.readouterr().out


def test_missing_data_is_reported_before_torch_is_imported() -> None:
    start = time.perf_counter()
    command = [*TOOL, "--config", AVA_CONFIG, "data.videos=nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert time.perf_counter() - start < 10  # 1 s without other load
    assert done.returncode == 2
    assert "nowhere" in done.stderr and "docs/data.md" in done.stderr and "--sample" in done.stderr
    assert "torch" not in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_few_clips_are_trained_and_evaluated_without_val(tiny_config_file: str, tmp_path: Path) -> None:
    options = ("data.val_csv=no.csv", "train.epochs=1", "train.warmup_epochs=0")
    main(["--config", tiny_config_file, "--output", str(tmp_path), "--overfit", "2", *options])
    counts = json.loads((tmp_path / "results.json").read_text())["detection"]["counts"]
    assert counts["keyframes_with_ground_truth"] == counts["keyframes_scored"] == 2


def test_wrong_usage(
    capsys: pytest.CaptureFixture[str], trained_run: Path, tiny_config_file: str, tmp_path: Path
) -> None:
    last, missing = trained_run / "checkpoints/last.pt", tmp_path / "no.pt"
    for options, message in (
        (["model.widht=4"], "did you mean model.width"),
        (["train.lr=fast"], "train.lr: 'fast' is not valid"),
        (["--config", tmp_path / "none.yaml"], "No config at"),
        (["--output", trained_run], "already holds a run"),
        (["--dry-run", "--resume"], "--dry-run keeps no files"),
        (["--overfit", "2", "--resume"], "--overfit starts a run of its own"),
        (["--overfit", "0"], "give 1 clip or more"),
        (["--output", tmp_path / "x", "--resume"], "found no run"),
        (["--output", tmp_path / "y", f"model.weights={last}", "model.width=16"], "another architecture"),
        (["--output", tmp_path / "z", f"model.weights={missing}"], "no checkpoint at"),
    ):
        assert message in refusal(main, capsys, "--config", tiny_config_file, *options)


@pytest.mark.parametrize(
    ("file", "row", "message"),
    [
        ("ava_train_v2.2.csv", "sample_train_00,0002,0.1,0.1,0.2,0.2", "line"),  # 6 columns
        ("ava_train_v2.2.csv", "sample_train_00,0002,0.5,0.1,0.2,0.2,12,0", "x1"),  # x1 > x2
        ("ava_train_v2.2.csv", "sample_train_00,0902,0.1,0.1,0.2,0.2,12,0", "902 s of"),  # after the video's end
        (
            "ava_train_v2.2.csv",
            "sample_train_00,0002,0.1,0.1,0.2,0.2,81,0",
            "81 (1 row) not in the label map, which has 11 to 79",
        ),
        ("ava_val_predicted_boxes.csv", "sample_val_00,2,0.1,0.1,0.2", "line"),
    ],
)
def test_an_invalid_row_is_reported(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    sample: Path,
    tiny_config_file: str,
    file: str,
    row: str,
    message: str,
) -> None:
    annotations = tmp_path / "annotations"
    annotations.mkdir()
    for path in (sample / "annotations").iterdir():
        (annotations / path.name).write_bytes(path.read_bytes())
    with (annotations / file).open("a") as table:
        table.write(row + "\n")
    argv = ("--config", tiny_config_file, "--output", tmp_path / "run", f"data.annotations={annotations}")
    error = refusal(main, capsys, *argv)
    assert message in error and file in error
    assert not (tmp_path / "run" / "config.yaml").exists()
