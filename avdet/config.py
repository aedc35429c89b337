"""Reads a YAML config, with `_base_` and `section.key=value` overrides, into one checked Config."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import Field, SerializeAsAny, ValidationError, field_validator, model_validator

from avdet.datasets import DATASETS, AnyDataset, build_dataset
from avdet.datasets.ava import AvaConfig
from avdet.datasets.classification import ClassificationDataset
from avdet.datasets.dataset import DataConfig
from avdet.datasets.detection import DetectionDataset
from avdet.settings import ModelConfig, Section, TestConfig, TrainConfig

__all__ = ["Config", "ConfigError", "load_config", "parse_config"]

S = TypeVar("S", bound=Section)
RENAMED = {
    "model.drop_pathway": "drop_pathway_rate",
    "model.drop_pathway_kind": "drop_pathway_mode",
    "model.sync_stages": "avs_stages",
    "model.sync_weight": "avs_weight",
    "train.lr_batch": "base_batch_size",
    "train.step_epochs": "milestones",
    "train.accumulate": "accumulation_steps",
    "train.clip_gradient": "grad_clip_norm",
    "train.keep": "keep_checkpoints",
    "train.frozen": "freeze",
    "train.forget_activations": "activation_checkpointing",
    "train.max_nonfinite": "max_nonfinite_steps",
    "data.max_bad": "max_bad_clips",
    "data.strict": "require_all_videos",
    "data.learn": "task",
    "data.repeat_rare": "repeat_threshold",
    "data.exclusive": "exclusive_groups",
    "data.hard_negatives": "hard_negative_fraction",
    "data.lighting": "pca_lighting",
    "data.test_clips": "test_num_clips",
    "data.test_crops": "test_num_crops",
    "data.test_pool": "test_aggregation",
    "data.time_origin": "timestamp_offset",
}  # before version 0.2; refused, with the new name
RENAMED_VALUES = {
    "model.fusion": {"a_fs": "a_to_fs", "a_f_s": "a_to_f_to_s"},
    "model.drop_pathway_mode": {"altogether": "full"},
    "data.task": {"classes": "classification", "nothing": "none"},
}


class ConfigError(ValueError):
    """An invalid setting: its key, the rule and the next step."""


class Config(Section):
    """All settings of a run."""

    name: str = Field("avdet", description="Names the run directory, runs/NAME, unless --output does.")
    seed: int = Field(0, ge=0, lt=2**63, description="Seed of the weights, the data order and all augmentation.")
    model: ModelConfig = ModelConfig()
    data: SerializeAsAny[DataConfig] = AvaConfig()
    train: TrainConfig = TrainConfig()
    test: TestConfig = TestConfig()

    @field_validator("name")
    @classmethod
    def _is_a_folder_name(cls, name: str) -> str:
        if not name.strip(". ") or any(sign in name for sign in "/\\\n\0"):
            raise ValueError(f"{name!r} cannot name a run's folder; use a word without slashes")
        return name

    @model_validator(mode="after")
    def _has_a_loss(self) -> Config:
        if not self.data.has_labels and not self.model.avs_stages:
            raise ValueError(
                "data.task is none and model.avs_stages is empty, so there is no loss; set "
                "model.avs_stages=[res3,res4,pool5] or data.task=rotation"
            )
        return self

    def dataset(self) -> AnyDataset:
        """The benchmark that section `data` describes."""
        return build_dataset(self.data)

    def detection_dataset(self) -> DetectionDataset[Any]:
        """As `dataset`. Raises ValueError if the benchmark has no person boxes."""
        dataset = self.dataset()
        if not isinstance(dataset, DetectionDataset):
            raise ValueError(
                f"{self.name} has data of kind {self.data.kind}, without person boxes; give a config of kind ava"
            )
        return dataset

    def classification_dataset(self) -> ClassificationDataset[Any]:
        """As `dataset`. Raises ValueError if the benchmark has person boxes."""
        dataset = self.dataset()
        if not isinstance(dataset, ClassificationDataset):
            raise ValueError(
                f"{self.name} detects actions of person boxes; score its detections.csv with python -m ava_eval"
            )
        return dataset

    def to_yaml(self) -> str:
        """YAML that reads back equal."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


def load_config(path: Path, *, overlays: tuple[Path, ...] = (), overrides: tuple[str, ...] = ()) -> Config:
    """The config at `path`, changed by the overlays, then by the `section.key=value` overrides.

    Raises ConfigError with one sentence for an unknown key, a wrong type or an impossible combination.
    """
    settings = _read_yaml(path)
    settings.setdefault("name", path.stem)
    for overlay in overlays:
        settings = _merge(settings, _read_yaml(overlay))
    for override in overrides:
        settings = _merge(settings, _parse_override(override))
    return parse_config(settings)


def parse_config(settings: dict[str, Any]) -> Config:
    """The Config of a resolved config.yaml's or a checkpoint's content. Raises ConfigError as `load_config` does."""
    data = settings.get("data", {})
    if isinstance(data, dict):
        kind = data.get("kind", "ava")
        if kind not in DATASETS:
            raise ConfigError(f"data.kind: {kind!r} is not a known benchmark; known are {', '.join(DATASETS)}")
        settings = {**settings, "data": _validate(DATASETS[kind].Config, {**data, "kind": kind}, "data")}
    return _validate(Config, settings)


def _validate(section: type[S], settings: dict[str, Any], prefix: str = "") -> S:
    try:
        return section.model_validate(settings)
    except ValidationError as error:
        raise ConfigError(_describe(error, prefix, section)) from None


class _UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that is set twice in one section; YAML would silently drop the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"{key} is set twice in one section, at and before line {node.end_mark.line + 1}")
        return dict(super().construct_mapping(node, deep))


def _read_yaml(path: Path, including: tuple[Path, ...] = ()) -> dict[str, Any]:
    if path.resolve() in including:
        names = " -> ".join(each.name for each in (*including, path))
        raise ConfigError(f"{path.resolve()} includes itself by _base_ ({names}); remove one of them")
    try:
        settings = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeyLoader) or {}
    except FileNotFoundError:
        raise ConfigError(f"No config at {path}; the shipped configs are in configs/") from None
    except (yaml.YAMLError, UnicodeDecodeError, IsADirectoryError) as error:
        raise ConfigError(f"{path} is not readable YAML: {' '.join(str(error).split())}") from None
    if not isinstance(settings, dict):
        raise ConfigError(f"{path} contains {type(settings).__name__}, not sections with settings")
    base = settings.pop("_base_", None)
    if base is None:
        return settings
    return _merge(_read_yaml(path.parent / str(base), (*including, path.resolve())), settings)


def _merge(base: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in new.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _parse_override(text: str) -> dict[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(f"{text!r} is not a setting; write section.key=value, for example train.epochs=5")
    try:
        parsed: Any = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f"the value of {text!r} is not readable YAML; quote it, for example {key}='text'") from None
    for part in reversed(key.split(".")):
        parsed = {part: parsed}
    return parsed


def _describe(error: ValidationError, prefix: str, section: type[Section]) -> str:
    """pydantic's first error as one sentence."""
    first = error.errors()[0]
    location = [*([prefix] if prefix else []), *(str(part) for part in first["loc"])]
    key = ".".join(location)
    if first["type"] == "extra_forbidden":
        return _describe_unknown(key, _keys(section, prefix))
    message = first["msg"].removeprefix("Value error, ").replace("a valid tuple", "a list, as in [a,b]")
    if len(location) == 3 and not location[-1].isdecimal():  # a setting of several types, and the first of these
        key = ".".join(location[:-1])
        same_key = [other["msg"] for other in error.errors() if other["loc"][:-1] == first["loc"][:-1]]
        message = f"Input should be {' or '.join(text.removeprefix('Input should be ') for text in same_key)}"
    renamed = RENAMED_VALUES.get(key, {}).get(first["input"] if isinstance(first["input"], str) else "")
    if renamed:
        return f"{key}: {first['input']!r} is not a valid value; did you mean {renamed}?"
    if first["type"] == "value_error":
        return f"{key}: {message}" if key else message
    return f"{key}: {first['input']!r} is not valid ({message[0].lower()}{message[1:]})"


def _describe_unknown(key: str, keys: list[str]) -> str:
    section = key.rpartition(".")[0]
    if key in RENAMED:
        return f"unknown key {key}; did you mean {section}.{RENAMED[key]}?"
    siblings = [name for name in keys if name.rpartition(".")[0] == section]
    close = difflib.get_close_matches(key, siblings, n=1) or difflib.get_close_matches(key, keys, n=1)
    return f"unknown key {key}; " + (f"did you mean {close[0]}?" if close else f"known are {', '.join(siblings)}")


def _keys(section: type[Section], prefix: str) -> list[str]:
    """All keys as written in a config."""
    keys: list[str] = []
    for name, field in section.model_fields.items():
        key = f"{prefix}.{name}" if prefix else name
        keys.append(key)
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            keys += _keys(field.annotation, key)
    return keys
