"""Which sample set and which overlay --sample selects for a config."""

from __future__ import annotations

from pathlib import Path

import pytest

from avdet.cli.config_arguments import overfit_overrides, provide_sample, sample_recipe
from avdet.config import load_config
from tests.conftest import REPOSITORY


@pytest.mark.parametrize(
    ("config", "overlay"),
    [
        ("ava/avslowfast", "detection.yaml"),
        ("ucf101/finetune", "ucf101.yaml"),
        ("hmdb51/linear", "hmdb51.yaml"),
        ("kinetics/avslowfast_4x16_r50", "kinetics.yaml"),
        ("selfsup/avslowfast_avs_rot", "unlabelled.yaml"),
    ],
)
def test_each_task_has_its_overlay(config: str, overlay: str) -> None:
    path = sample_recipe(load_config(REPOSITORY / f"configs/{config}.yaml").dataset())
    assert path.name == overlay and path.is_file()


@pytest.mark.parametrize(
    ("config", "folder", "videos"),
    [
        ("ucf101/linear", "data/sample-clips", 108),
        ("selfsup/avslowfast_avs_rot", "data/sample-unlabelled", 1040),
    ],
)
def test_the_sample_set_is_created_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, config: str, folder: str,
    videos: int,
) -> None:  # fmt: skip
    path = REPOSITORY / f"configs/{config}.yaml"
    scaled = load_config(path, overlays=(sample_recipe(load_config(path).dataset()),))
    monkeypatch.chdir(tmp_path)
    created: list[Path] = []
    monkeypatch.setattr("avdet.synthetic.make_clip_sample.ensure_clip_sample", lambda path, **_: created.append(path))
    monkeypatch.setattr("avdet.synthetic.make_clip_sample.is_clip_sample", lambda path, **_: path in created)
    caplog.set_level("INFO")
    provide_sample(scaled)
    provide_sample(scaled)
    assert created == [Path(folder)] and scaled.data.videos.is_relative_to(folder)
    assert caplog.messages == [f"creating the sample set in {folder}: {videos} videos, 1 to 2 minutes"]


@pytest.mark.parametrize("config", ["custom/avslowfast", "custom/folders", "selfsup/avslowfast_avs_rot"])
def test_overfitting_has_no_augmentation_and_a_batch_of_its_clips(config: str) -> None:
    path = REPOSITORY / f"configs/{config}.yaml"
    overfit = load_config(path, overrides=tuple(overfit_overrides(load_config(path), 4)))
    assert (overfit.data.overfit_clips, overfit.data.flip, overfit.data.train_short_side) == (4, 0.0, (256, 256))
    assert (overfit.train.batch_size, overfit.train.eval_every) == (4, overfit.train.epochs)
