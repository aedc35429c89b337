"""All settings of a run as one checked Config; its section `data` is that of the benchmark it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import Field, SerializeAsAny, ValidationError, field_validator, model_validator

from avdet.config_errors import describe_error
from avdet.config_yaml import ConfigError, merge, parse_override, read_yaml
from avdet.datasets import DATASETS, AnyDataset, build_dataset
from avdet.datasets.ava import AvaConfig
from avdet.datasets.classification import ClassificationDataset
from avdet.datasets.dataset import DataConfig
from avdet.datasets.detection import DetectionDataset
from avdet.settings import ModelConfig, Section
from avdet.train_settings import TestConfig, TrainConfig

__all__ = ["Config", "ConfigError", "load_config", "parse_config"]

S = TypeVar("S", bound=Section)


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
    settings = read_yaml(path)
    settings.setdefault("name", path.stem)
    for overlay in overlays:
        settings = merge(settings, read_yaml(overlay))
    for override in overrides:
        settings = merge(settings, parse_override(override))
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
        raise ConfigError(describe_error(error, prefix, section)) from None
