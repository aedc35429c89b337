"""The benchmarks: one file each, named in one dictionary.

To add one: write `avdet/datasets/NAME.py` with a settings class and a class that implements `Dataset`, add it here, and
add a config and a test.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from avdet.datasets.ava import Ava
from avdet.datasets.charades import Charades
from avdet.datasets.class_folders import ClassFolders
from avdet.datasets.classification import ClassificationDataset
from avdet.datasets.dataset import DataConfig
from avdet.datasets.detection import DetectionDataset
from avdet.datasets.epic import Epic
from avdet.datasets.hmdb51 import Hmdb51
from avdet.datasets.kinetics import Kinetics
from avdet.datasets.ssv2 import Ssv2
from avdet.datasets.ucf101 import Ucf101

__all__ = ["DATASETS", "AnyDataset", "build_dataset"]

AnyDataset: TypeAlias = DetectionDataset[Any] | ClassificationDataset[Any]
DATASETS: dict[str, type[AnyDataset]] = {
    "ava": Ava,
    "kinetics": Kinetics,
    "folders": ClassFolders,
    "ucf101": Ucf101,
    "hmdb51": Hmdb51,
    "epic": Epic,
    "charades": Charades,
    "ssv2": Ssv2,
}


def build_dataset(config: DataConfig) -> AnyDataset:
    """The benchmark that a config's section `data` describes."""
    return DATASETS[config.kind](config)
