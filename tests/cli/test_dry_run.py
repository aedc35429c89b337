"""Every shipped recipe goes through the whole cycle once, on a tiny sample, as `--dry-run` does it."""

from __future__ import annotations

from pathlib import Path

import pytest

from avdet.cli import train_net
from avdet.cli.config_arguments import sample_recipe
from avdet.config import load_config
from tests.conftest import REPOSITORY, TINY_DATA, TINY_MODEL
from tests.synthetic.tiny import TINY_CLIPS

RECIPES = sorted((REPOSITORY / "configs").rglob("*.yaml"))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_config_passes_the_sanity_check(
    recipe: Path, sample: Path, clip_sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = load_config(recipe).dataset()
    overlay = sample_recipe(dataset)
    data = load_config(recipe, overlays=(overlay,)).data
    detects = dataset.sample_set == "detection"
    sizes: tuple[str, ...] = (*TINY_MODEL, *TINY_DATA) if detects else TINY_CLIPS
    videos = sample / "videos" if detects else clip_sample / data.videos.name
    annotations = sample / "annotations" if detects else clip_sample / "annotations" / data.annotations.name
    small = ("train.batch_size=4", "train.base_batch_size=4", "train.precise_bn_clips=4")
    places = (f"data.videos={videos}", f"data.annotations={annotations}")
    tiny = tmp_path / "recipe.yaml"
    tiny.write_text(load_config(recipe, overlays=(overlay,), overrides=(*sizes, *small, *places)).to_yaml())
    assert train_net.main(["--config", str(tiny), "--dry-run"]) == 0
    assert "sanity check passed" in capsys.readouterr().out
