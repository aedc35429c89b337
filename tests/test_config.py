import json
from pathlib import Path

import pytest
import yaml

from avdet.cli.config_arguments import sample_recipe
from avdet.config import Config, ConfigError, load_config, parse_config
from avdet.config_errors import RENAMED, RENAMED_VALUES
from avdet.datasets import DATASETS

REPOSITORY = Path(__file__).parents[1]
RECIPES = sorted((REPOSITORY / "configs").rglob("*.yaml"))


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_every_config_is_read_alone_and_with_the_sample_overlay(recipe: Path) -> None:
    config = load_config(recipe)
    assert config.name
    sample = load_config(recipe, overlays=(sample_recipe(config.dataset()),))
    assert sample.data.videos.parts[:2] in {("data", "sample"), ("data", "sample-clips"), ("data", "sample-unlabelled")}
    assert sample.model.width == 16 and sample.data.kind == config.data.kind


def test_a_resolved_config_round_trips(tmp_path: Path) -> None:
    config = load_config(RECIPES[0], overrides=("model.fusion_stages=[res2]", "train.grad_clip_norm=1"))
    assert load_config(write(tmp_path, "config.yaml", config.to_yaml())) == config
    assert parse_config(yaml.safe_load(config.to_yaml())) == config


def test_later_settings_override_single_keys(tmp_path: Path) -> None:
    write(tmp_path, "base.yaml", "model: {width: 16, dropout: 0.1}\ntrain: {lr: 0.3}")
    recipe = write(tmp_path, "recipe.yaml", "_base_: base.yaml\nmodel: {width: 32}")
    overlay = write(tmp_path, "overlay.yaml", "train: {epochs: 3}")
    config = load_config(recipe, overlays=(overlay,), overrides=("train.epochs=4", "train.lr=1e-3"))
    assert (config.model.width, config.model.dropout, config.train.lr, config.train.epochs) == (32, 0.1, 0.001, 4)
    assert config.name == "recipe"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.widht=8", "unknown key model.widht; did you mean model.width?"),
        ("epochs=8", "unknown key epochs; did you mean train.epochs?"),
        ("zebra=1", "unknown key zebra; known are name, seed, model, data, train, test"),
        ("model.width=wide", "model.width: 'wide' is not valid"),
        ("data.timestamp_offset=late", "data.timestamp_offset: 'late' is not auto, a number of seconds or a .csv file"),
        ("data.classes=talk", "data.classes: 'talk' is not valid (input should be a list, as in [a,b])"),
        ("data.classes=[sit,sit]", "classes lists 'sit' twice; list each class once"),
        ("model.width=4", "model.width: 4 is not valid"),
        ("model.audio=maybe", "model.audio: 'maybe' is not valid"),
        (
            "model.fast_to_slow_kernel=4",
            "model.fast_to_slow_kernel: 4 is even, so the kernel has no centre; choose an odd number",
        ),
        ("model.stage_blocks=[0,1,1,1]", "model.stage_blocks.0: 0 is not valid"),
        ("model.beta=.inf", "model.beta: inf is not valid"),
        ("seed=-1", "seed: -1 is not valid"),
        ("seed=99999999999999999999", "seed: 99999999999999999999 is not valid"),
        ("train.lr=.inf", "train.lr: inf is not valid"),
        ("model.res4_temporal_blocks=-1", "model.res4_temporal_blocks: -1 is not valid"),
        (
            "data.exclusive_groups=[[sit],[stand]]",
            "exclusive_groups has the group ['sit']; a group needs two classes or more",
        ),
        (
            "data.exclusive_groups=[[sit,stand],[stand,walk]]",
            "exclusive_groups lists 'stand' twice; a class belongs to at most one group",
        ),
        ("model.pathways=[fast]", "pathways ['fast'] is no network; choose [slow, fast] or [slow]"),
        ("model.pathways=[slow]", "pathways [slow] has no lateral connections for audio; set model.audio=false"),
        ("model.alpha=5", "slow_stride 16 is not a multiple of alpha 5"),
        ("train.warmup_epochs=34", "Warm-up (34 epochs) is longer than training (20)"),
        ("data.train_crop=300", "train_short_side 256-320 must rise and be at least train_crop 300"),
        ("data.kind=kinetix", "data.kind: 'kinetix' is not a known benchmark; known are ava, kinetics"),
        ("data={kind: epic, test_clip: 3}", "unknown key data.test_clip; did you mean data.test_num_clips?"),
        ("data={kind: ucf101, split: 4}", "data.split: 4 is not valid"),
        (
            "data={kind: charades, train_crop: 300}",
            "data: train_short_side 256-320 must rise and be at least train_crop",
        ),
        ("data.test_num_crops=3", "unknown key data.test_num_crops"),
        ("train.epochs", "write section.key=value"),
        ("train.epochs=[", "not readable YAML"),
    ],
)
def test_invalid_overrides_are_refused_in_one_line(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(write(tmp_path, "recipe.yaml", ""), overrides=(override,))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_renamed_key_is_refused_with_its_new_name(tmp_path: Path, old: str, new: str) -> None:
    section = old.split(".", maxsplit=1)[0]
    kind = "charades" if old in {"data.learn", "data.test_clips", "data.test_crops", "data.test_pool"} else "ava"
    config = write(tmp_path, "config.yaml", f"data: {{kind: {kind}}}")
    with pytest.raises(ConfigError, match=rf"unknown key {old}; did you mean {section}\.{new}\?"):
        load_config(config, overrides=(f"{old}=1",))
    default = load_config(config).model_dump(mode="json")[section][new]
    load_config(config, overrides=(f"{section}.{new}={json.dumps(default)}",))


@pytest.mark.parametrize(("key", "values"), RENAMED_VALUES.items())
def test_a_renamed_value_is_refused_with_its_new_name(tmp_path: Path, key: str, values: dict[str, str]) -> None:
    config = write(tmp_path, "config.yaml", "data: {kind: kinetics}")
    for old, new in values.items():
        with pytest.raises(ConfigError, match=rf"{key}: '{old}' is not a valid value; did you mean {new}\?"):
            load_config(config, overrides=(f"{key}={old}",))


def test_files_that_are_not_a_config_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No config at"):
        load_config(tmp_path / "missing.yaml")
    with pytest.raises(ConfigError, match="not readable YAML"):
        load_config(write(tmp_path, "broken.yaml", "model: {"))
    with pytest.raises(ConfigError, match="contains list"):
        load_config(write(tmp_path, "list.yaml", "- 1"))
    with pytest.raises(ConfigError, match="includes itself by _base_"):
        load_config(write(tmp_path, "circle.yaml", "_base_: circle.yaml"))
    with pytest.raises(ConfigError, match="includes itself by _base_"):
        load_config(write(tmp_path, "parent.yaml", f"_base_: ../{tmp_path.name}/parent.yaml"))


@pytest.mark.parametrize("kind", DATASETS)
def test_every_benchmark_round_trips(tmp_path: Path, kind: str) -> None:
    config = load_config(write(tmp_path, "recipe.yaml", f"data: {{kind: {kind}, flip: 0.25}}"))
    assert isinstance(config.data, DATASETS[kind].Config) and config.data.flip == 0.25
    assert load_config(write(tmp_path, "config.yaml", config.to_yaml())) == config


def test_yaml_cannot_run_code(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not readable YAML"):
        load_config(write(tmp_path, "code.yaml", "name: !!python/object/apply:os.getcwd []"))


def test_frames_of_the_default_model() -> None:
    model = Config().model
    assert (model.clip_frames, model.span_frames) == (32, 64)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data: 3", "data: 3 is not valid"),
        ("data:", "data: None is not valid"),
        ("name: ../../x", "cannot name a run's folder"),
        ("train: {epochs: 1, epochs: 2}", "epochs is set twice"),
    ],
)
def test_invalid_configs_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "odd.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(tmp_path / "odd.yaml")
