"""Evaluates a checkpoint on the val split of a config."""

from __future__ import annotations

import logging
from pathlib import Path

from avdet.checkpoints.third_party import load_any_checkpoint
from avdet.config import Config, parse_config
from avdet.datasets.detection import DetectionDataset
from avdet.distributed import DistributedContext
from avdet.engine.build_task import build_task
from avdet.engine.load_checkpoint import load_pretrained
from avdet.engine.results import write_results
from avdet.engine.run_dir import RunDir, write_config
from avdet.engine.task import EvaluationResult

__all__ = ["test"]

logger = logging.getLogger(__name__)


def test(config: Config, checkpoint: Path, run: RunDir, process: DistributedContext) -> EvaluationResult:
    """Evaluates the checkpoint; the main process writes predictions and results to the run directory.

    Raises ValueError if the checkpoint lacks weights for any part of the config's model.
    """
    _require_same_task(config, checkpoint)
    task = build_task(config, process)
    model = task.build_model()
    report = load_pretrained(model, checkpoint, config.model, task.class_names)
    logger.info("%s", report)
    if any(name.startswith("head.") for name in report.new):
        raise ValueError(f"{checkpoint} was trained on other classes than the config's data; pass its own config")
    if report.new:
        raise ValueError(
            f"{checkpoint} has no weights for {len(report.new)} tensors of the config's model, such as "
            f"{report.new[0]}; pass its own config"
        )
    if process.is_main:
        run.path.mkdir(parents=True, exist_ok=True)  # an unusable --output fails before the evaluation
    result = task.evaluate(model.to(process.device))
    if process.is_main:
        write_config(run, config.to_yaml())
        write_results(run, result, config)
    return result


def _require_same_task(config: Config, checkpoint: Path) -> None:
    """Raises ValueError for a detector with a config of clips, and the reverse; before the data are read."""
    settings = load_any_checkpoint(checkpoint, needs_settings=False).config
    if not settings:
        return
    if "people" in settings:
        raise ValueError(f"{checkpoint} is a person detector; give a checkpoint of train_net")
    trained = parse_config(settings)
    kinds = {True: "detects the actions of persons", False: "classifies clips"}
    own, wanted = (isinstance(one.dataset(), DetectionDataset) for one in (trained, config))
    if own != wanted:
        raise ValueError(
            f"{checkpoint} {kinds[own]} ({trained.data.kind}), but the config {kinds[wanted]} ({config.data.kind}); "
            f"give a config of kind {trained.data.kind}"
        )
