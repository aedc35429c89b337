"""What a run leaves for people and scripts: the table of detections, the numbers, where they come from."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

import ava_eval
from avdet.data.build import TestData
from avdet.data.keyframes import ClassNames
from avdet.data.locate import annotation_files
from avdet.detection_table import write_detections
from avdet.engine.provenance import provenance
from avdet.engine.run_dir import RunDir
from avdet.settings import Config

__all__ = ["score", "write_results"]


def score(table: pd.DataFrame, data: TestData, classes: ClassNames, config: Config) -> ava_eval.Result:
    """Frame mAP of a table of detections, by the protocol of the config."""
    return ava_eval.evaluate(
        data.ground_truth,
        table,
        classes.label_map,
        excluded=data.excluded,
        protocol=config.test.protocol,
        iou=config.test.iou,
    )


def write_results(run: RunDir, table: pd.DataFrame, result: ava_eval.Result, config: Config) -> None:
    """detections.csv, and results.json with the numbers under "detection" and their origin beside them."""
    write_detections(table, run.detections)
    files = annotation_files(config.data, "train") | annotation_files(config.data, "val")
    existing = [path for path in files.values() if path.is_file()]
    origin = provenance(existing, config.data.videos)
    content: dict[str, Any] = {"detection": result.to_json(), "seed": config.seed, **origin}
    run.results.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
