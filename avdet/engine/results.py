"""What a run leaves for people and scripts: its predictions, the numbers, where they come from."""

from __future__ import annotations

import json
from typing import Any

from avdet.datasets.locate import annotation_files
from avdet.engine.evaluation_result import EvaluationResult
from avdet.engine.provenance import provenance
from avdet.engine.run_dir import RunDir
from avdet.settings import Config

__all__ = ["write_results"]


def write_results(run: RunDir, outcome: EvaluationResult, config: Config) -> None:
    """The predictions' table, and results.json with the numbers under the task's name and their origin beside them."""
    outcome.write(run)
    files = annotation_files(config.data, "train") | annotation_files(config.data, "val")
    existing = [path for path in files.values() if path.is_file()]
    origin = provenance(existing, config.data.videos)
    content: dict[str, Any] = {outcome.section: outcome.content, "seed": config.seed, **origin}
    run.results.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
