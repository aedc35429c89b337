"""Write docs/settings.md, a table of every setting, from the settings classes."""

from pathlib import Path
from typing import Any

import yaml

from avdet.config import Config
from avdet.datasets import DATASETS
from avdet.datasets.classification import ClassificationConfig
from avdet.datasets.dataset import DataConfig
from avdet.datasets.detection import DetectionConfig
from avdet.settings import ModelConfig, Section
from avdet.train_settings import TestConfig, TrainConfig

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
INTRODUCTION = """# Settings

A config is a YAML file with the sections `model`, `data`, `train` and `test`. `_base_: FILE` starts from another
config. Arguments of a tool override single settings, for example `train.epochs=5 model.fusion_stages=[res2,res3]`.
`python tools/settings_page.py` writes this page.
"""
SECTIONS: dict[str, tuple[type[Section], type[Section]]] = {  # by heading: the settings, and those that they extend
    "Top level": (Config, Section),
    "`model`": (ModelConfig, Section),
    "`train`": (TrainConfig, Section),
    "`test`": (TestConfig, Section),
    "`data`, every benchmark": (DataConfig, Section),
    "`data`, benchmarks with person boxes": (DetectionConfig, DataConfig),
    "`data`, benchmarks of clips": (ClassificationConfig, DataConfig),
    **{f"`data`, `kind: {kind}`": (data.Config, data.Config.__mro__[1]) for kind, data in DATASETS.items()},
}


def settings_page() -> str:
    return INTRODUCTION + "".join(_table(heading, *classes) for heading, classes in SECTIONS.items())


def _table(heading: str, section: type[Section], base: type[Section]) -> str:
    """The settings that `base` lacks, or has with another default or meaning."""
    known, fields = (settings.model_json_schema().get("properties", {}) for settings in (base, section))
    own = {name: field for name, field in fields.items() if field != known.get(name) and "description" in field}
    rows = [f"| `{name}` | {_default(f)} | {_choices(f)} | {f['description']} |\n" for name, f in own.items()]
    title = f"\n## {heading}\n\n{section.__doc__}\n\n| setting | default | choices | meaning |\n|---|---|---|---|\n"
    return title + "".join(rows)


def _default(field: dict[str, Any]) -> str:
    default = yaml.safe_dump(field.get("default"), default_flow_style=True, width=1000).partition("\n")[0]
    return f"`{default}`" if "default" in field else ""


def _choices(field: dict[str, Any]) -> str:
    choices = field.get("enum") or field.get("items", {}).get("enum", [])
    return ", ".join(f"`{str(choice).lower()}`" for choice in choices)


if __name__ == "__main__":
    PAGE.write_text(settings_page(), encoding="utf-8")
