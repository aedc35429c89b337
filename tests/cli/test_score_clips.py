"""Classification on a tiny sample set: train_net.py, test_net.py and score_clips.py for every benchmark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.cli import score_clips, test_net, train_net
from avdet.cli.config_arguments import sample_recipe
from avdet.config import load_config
from avdet.synthetic.benchmark_files import AUDIO_DEPENDENT_CLASSES
from tests.cli.refusal import refusal
from tests.conftest import REPOSITORY
from tests.synthetic.tiny import TINY_CLIPS

TINY = (
    *TINY_CLIPS, "train.epochs=1", "train.batch_size=4", "train.precise_bn_clips=0", "train.warmup_epochs=0",
    "train.eval_every=1",
)  # fmt: skip
CONFIGS = (
    "kinetics/avslowfast_4x16_r50",
    "epic/avslowfast_epic100",
    "charades/avslowfast",
    "selfsup/avslowfast_avs_rot",
)
OTHERS = [
    str(path.relative_to(REPOSITORY / "configs").with_suffix(""))
    for path in sorted((REPOSITORY / "configs").rglob("*.yaml"))
    if path.parent.name not in {"ava", "custom"} and f"{path.parent.name}/{path.stem}" not in CONFIGS
]


def tiny(name: str, sample: Path, folder: Path, *overrides: str) -> Path:
    """Writes configs/NAME.yaml, scaled down by --sample's settings and by TINY, into a file."""
    path = REPOSITORY / "configs" / f"{name}.yaml"
    overlay = sample_recipe(load_config(path).dataset())
    data = load_config(path, overlays=(overlay,)).data
    folders = (
        f"data.videos={sample / data.videos.name}",
        f"data.annotations={sample / 'annotations' / data.annotations.name}",
    )
    config = load_config(path, overlays=(overlay,), overrides=(*TINY, *folders, *overrides))
    target = folder / f"{name.replace('/', '-')}.yaml"
    target.write_text(config.to_yaml(), encoding="utf-8")
    return target


def results(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "results.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, clip_sample: Path) -> dict[str, Path]:
    """Run directories of the configs, trained for 1 epoch."""
    folder = tmp_path_factory.mktemp("runs")
    for name in CONFIGS:
        config = tiny(name, clip_sample, folder)
        assert train_net.main(["--config", str(config), "--output", str(folder / name)]) == 0
    return {name: folder / name for name in CONFIGS}


def test_each_benchmark_has_its_metrics(runs: dict[str, Path]) -> None:
    kinetics = results(runs["kinetics/avslowfast_4x16_r50"])["classification"]
    assert 0 <= kinetics["top1"] <= kinetics["top5"] <= 1
    assert kinetics["views"] == "2 x 3" and len(kinetics["accuracy"]) == 8
    assert kinetics["clips"] == kinetics["expected_clips"] > 0 == kinetics["videos_that_end_early"]
    epic = results(runs["epic/avslowfast_epic100"])["classification"]
    assert epic["all"].keys() == epic["unseen"].keys() == {"verb", "noun", "action"}
    charades = results(runs["charades/avslowfast"])["classification"]
    assert 0 < charades["mAP"] <= 1 and charades["pooling"] == "max"
    pretraining = results(runs["selfsup/avslowfast_avs_rot"])["pretraining"]
    assert pretraining["loss"].keys() == {"rotation", "sync_res3", "sync_res4", "sync_pool5"}
    # At pool5 the visual features already contain the audio, so no pair is valid.
    assert pretraining["loss"]["sync_res3"] > 0 == pretraining["loss"]["sync_pool5"]


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_every_other_config_trains(name: str, clip_sample: Path, tmp_path: Path) -> None:
    config = tiny(name, clip_sample, tmp_path)
    assert train_net.main(["--config", str(config), "--output", str(tmp_path / "run")]) == 0
    assert len(results(tmp_path / "run")["classification"]) > 3
    if name.startswith("kinetics_sounds"):
        assert results(tmp_path / "run")["classification"]["accuracy"].keys() == set(AUDIO_DEPENDENT_CLASSES)


def test_scoring_a_run_s_predictions_gives_its_metrics(runs: dict[str, Path], tmp_path: Path) -> None:
    for name in ("kinetics/avslowfast_4x16_r50", "epic/avslowfast_epic100", "charades/avslowfast"):
        run = runs[name]
        argv = ["--config", str(run / "config.yaml"), "--predictions", str(run / "predictions.csv")]
        assert score_clips.main([*argv, "--json", str(tmp_path / "again.json")]) == 0
        again, first = json.loads((tmp_path / "again.json").read_text()), results(run)["classification"]
        assert {**again, "videos_that_end_early": 0} == first
        with pytest.raises(SystemExit) as stop:
            score_clips.main([*argv, "--json", str(run / "predictions.csv")])
        assert stop.value.code == 2 and pd.read_csv(run / "predictions.csv").size


def test_verbs_and_nouns_of_two_models_are_combined_to_actions(runs: dict[str, Path], tmp_path: Path) -> None:
    run = runs["epic/avslowfast_epic100"]
    table = pd.read_csv(run / "predictions.csv")
    for name in ("verb", "noun"):
        columns = ["id", *(column for column in map(str, table) if column.startswith(f"{name}:"))]
        table[columns].to_csv(tmp_path / f"{name}.csv", index=False)
    argv = ["--config", str(run / "config.yaml"), "--predictions", str(tmp_path / "noun.csv")]
    files = ("--json", str(tmp_path / "both.json"), "--submission", str(tmp_path / "submission.json"))
    assert score_clips.main([*argv, str(tmp_path / "verb.csv"), *files]) == 0
    both = json.loads((tmp_path / "both.json").read_text())
    assert both["all"] == results(run)["classification"]["all"]
    submission = json.loads((tmp_path / "submission.json").read_text())
    assert submission["results"].keys() == set(table["id"]) and submission["version"] == "0.2"


def test_the_charades_submission_has_one_line_per_video(runs: dict[str, Path], tmp_path: Path) -> None:
    run = runs["charades/avslowfast"]
    argv = ["--config", str(run / "config.yaml"), "--predictions", str(run / "predictions.csv")]
    assert score_clips.main([*argv, "--submission", str(tmp_path / "test.txt")]) == 0
    lines = [line.split() for line in (tmp_path / "test.txt").read_text().splitlines()]
    assert [line[0] for line in lines] == pd.read_csv(run / "predictions.csv")["id"].tolist()
    assert all(len(line) == 1 + 9 for line in lines)


def test_a_benchmark_without_submission_format_is_refused(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = runs["kinetics/avslowfast_4x16_r50"]
    argv = ("--config", str(run / "config.yaml"), "--predictions", str(run / "predictions.csv"))
    with pytest.raises(SystemExit) as stop:
        score_clips.main([*argv, "--submission", str(tmp_path / "s.json")])
    printed = capsys.readouterr()
    assert stop.value.code == 2 and "kinetics has no submission format" in printed.err and not printed.out


def test_a_video_without_prediction_ranks_last_in_charades(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = runs["charades/avslowfast"]
    table = pd.read_csv(run / "predictions.csv", dtype={"id": str})
    table[1:].to_csv(tmp_path / "p.csv", index=False)
    argv = ["--config", str(run / "config.yaml"), "--predictions", str(tmp_path / "p.csv")]
    assert score_clips.main([*argv, "--json", str(tmp_path / "a.json"), "--submission", str(tmp_path / "s.txt")]) == 0
    assert f"1 of {len(table)} annotated clips have no prediction" in capsys.readouterr().out
    table.iloc[0, 1:] = -1e9
    table.to_csv(tmp_path / "p.csv", index=False)
    assert score_clips.main([*argv, "--json", str(tmp_path / "b.json")]) == 0
    missing, last = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    assert {**missing, "clips": len(table)} == last and missing["clips"] == len(table) - 1
    assert len((tmp_path / "s.txt").read_text().splitlines()) == len(table) - 1


def test_predictions_do_not_depend_on_batch_size_and_workers(runs: dict[str, Path], tmp_path: Path) -> None:
    run = runs["kinetics/avslowfast_4x16_r50"]
    argv = ["--config", str(run / "config.yaml"), "--checkpoint", str(run / "checkpoints/last.pt")]
    overrides = ["test.batch_size=3", "data.workers=2"]
    assert test_net.main([*argv, "--output", str(tmp_path / "again"), *overrides]) == 0
    first, second = (pd.read_csv(folder / "predictions.csv") for folder in (run, tmp_path / "again"))
    assert first["id"].tolist() == second["id"].tolist()
    assert (first.iloc[:, 1:] - second.iloc[:, 1:]).abs().to_numpy().max() < 1e-6


def test_a_linear_probe_trains_the_head_alone(runs: dict[str, Path], clip_sample: Path, tmp_path: Path) -> None:
    weights = runs["selfsup/avslowfast_avs_rot"] / "checkpoints/last.pt"
    config = tiny("ucf101/linear", clip_sample, tmp_path, f"model.weights={weights}", "data.test_num_clips=1")
    assert train_net.main(["--config", str(config), "--output", str(tmp_path / "probe")]) == 0
    before, after = load_checkpoint(weights), load_checkpoint(tmp_path / "probe/checkpoints/last.pt")
    backbone = [name for name in after.model_state if name.startswith("backbone.") and "num_batches" not in name]
    assert backbone and all(torch.equal(before.model_state[name], after.model_state[name]) for name in backbone)
    assert before.class_names == {0: "upright", 1: "left", 2: "upside down", 3: "right"}
    assert len(after.model_state["head.classifier.linear.action.bias"]) == 8 == len(after.class_names)


def test_missing_videos_stop_the_run_where_all_are_required(
    clip_sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    for path in sorted((clip_sample / "videos").iterdir())[1:]:
        (videos / path.name).symlink_to(path)
    config = tiny("kinetics/slowfast_4x16_r50", clip_sample, tmp_path, f"data.videos={videos}", "data.test_num_clips=1")
    argv = ["--config", config, "--output", tmp_path / "a", "data.require_all_videos=true"]
    error = refusal(train_net.main, capsys, *argv)
    assert "missing (P01_01_000000_000003.500, P01_01_000003.500_000006.700) -> 2 of 8 clips skipped" in error


def test_wrong_usage(
    runs: dict[str, Path], clip_sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tiny("kinetics/slowfast_4x16_r50", clip_sample, tmp_path)
    argv = ["--config", config, "--output", tmp_path / "a"]
    assert "so there is no loss" in refusal(train_net.main, capsys, *argv, "data.task=none")
    assert "nowhere.pt" in refusal(train_net.main, capsys, *argv, "model.weights=nowhere.pt")
    assert not (tmp_path / "a").exists()
    predictions = str(runs["charades/avslowfast"] / "predictions.csv")
    for name, message in (
        ("kinetics/avslowfast_4x16_r50", "'action:clapping' is missing"),
        ("ava", "python -m ava_eval"),
    ):
        path = REPOSITORY / "configs/ava/slowfast.yaml" if name == "ava" else runs[name] / "config.yaml"
        assert message in refusal(score_clips.main, capsys, "--config", path, "--predictions", predictions)
