"""A checkpoint scored on a recipe's val split."""

from __future__ import annotations

import logging
from pathlib import Path

from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.distributed import DistributedContext
from avdet.engine.evaluation_result import EvaluationResult
from avdet.engine.load_pretrained import load_pretrained
from avdet.engine.results import write_results
from avdet.engine.run_dir import RunDir
from avdet.engine.tasks import build_task
from avdet.settings import Config

__all__ = ["test"]

logger = logging.getLogger(__name__)


def test(config: Config, checkpoint: Path, run: RunDir, process: DistributedContext) -> EvaluationResult:
    """Predictions and their score; the main process writes both into the run directory."""
    task = build_task(config, process)
    model = task.build_model()
    report = load_pretrained(model, load_checkpoint(checkpoint), task.class_names)
    logger.info("%s", report)
    if any(name.startswith("head.") for name in report.new):
        raise ValueError(f"{checkpoint} was trained on other classes than the recipe's data; give its own recipe")
    if report.new:
        raise ValueError(
            f"{checkpoint} has no weights for {len(report.new)} tensors of the recipe's model (the first is "
            f"{report.new[0]}), which would be tested untrained; give its own recipe"
        )
    if process.is_main:
        run.path.mkdir(parents=True, exist_ok=True)  # a wrong --output is said before the work
    outcome = task.evaluate(model.to(process.device))
    if process.is_main:
        run.config.write_text(config.to_yaml(), encoding="utf-8")
        write_results(run, outcome, config)
    return outcome
