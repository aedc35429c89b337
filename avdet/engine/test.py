"""A checkpoint scored on a recipe's val split."""

from __future__ import annotations

import logging
from pathlib import Path

import ava_eval
from avdet.checkpoints.io import load_checkpoint, load_weights
from avdet.data.build import build_classes, build_exclusive, build_test_data
from avdet.engine.distributed import Process
from avdet.engine.evaluate_detection import detect_split
from avdet.engine.results import score, write_results
from avdet.engine.run_dir import RunDir
from avdet.models.build import build_model
from avdet.settings import Config

__all__ = ["test"]

logger = logging.getLogger(__name__)


def test(config: Config, checkpoint: Path, run: RunDir, process: Process) -> ava_eval.Result:
    """Detections and their score; the main process writes both into the run directory."""
    classes = build_classes(config.ava)
    data = build_test_data(config, classes, rank=process.rank, world=process.world)
    exclusive = build_exclusive(config.ava, classes)
    model = build_model(config.model, num_classes=len(classes), head="roi", exclusive=exclusive)
    report = load_weights(model, load_checkpoint(checkpoint), classes.label_map)
    logger.info("%s", report)
    if any(name.startswith("head.") for name in report.new):
        raise ValueError(
            f"{checkpoint} was trained on other classes than {config.ava.label_map} names; give its own map"
        )
    table = detect_split(model.to(process.device), data.loader, classes.ids, process)
    result = score(table, data, classes, config)
    if process.is_main:
        run.config.parent.mkdir(parents=True, exist_ok=True)
        run.config.write_text(config.to_yaml(), encoding="utf-8")
        write_results(run, table, result, config)
    return result
