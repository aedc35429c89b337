"""Score the predictions of a classification run from their CSV, or convert them to a benchmark's submission format."""

from __future__ import annotations

import argparse
import json
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avdet.cli.arguments import ToolParser, require_output, user_errors
from avdet.cli.config_arguments import add_config_arguments, config_from_arguments, configure_logging
from avdet.engine.progress import CONSOLE

if TYPE_CHECKING:
    from avdet.datasets.classification import ClassificationDataset

logger = logging.getLogger(__name__)
SETTING = re.compile(r"[a-z_]\w*(\.\w+)*=")


def main(argv: list[str] | None = None) -> int:
    parser = ToolParser("score_clips.py", __doc__)
    add_config_arguments(parser)
    parser.add_argument(
        "--predictions",
        type=Path,
        nargs="+",
        required=True,
        help="predictions.csv of a run; two for EPIC's verbs and nouns",
    )
    parser.add_argument("--json", type=Path, help="also write the metrics to this file")
    parser.add_argument("--submission", type=Path, help="write the file for the benchmark's server or script")
    args = parser.parse(argv)
    settings = [path for path in args.predictions if SETTING.match(str(path)) and not path.exists()]  # follow a file
    args.overrides += map(str, settings)
    args.predictions = [path for path in args.predictions if path not in settings]
    with user_errors():
        config = config_from_arguments(args)

        dataset = config.classification_dataset()
        if args.submission is not None and dataset.submission_form() is None:
            raise ValueError(f"--submission: {config.data.kind} has no submission format; leave it out")
        inputs = (args.config, *args.predictions, *config.data.annotations.glob("*"))
        for option, path, other in (("--json", args.json, None), ("--submission", args.submission, args.json)):
            if path is not None:
                require_output(path, (*inputs, other), option=option)
                path.parent.mkdir(parents=True, exist_ok=True)
        configure_logging()
        _score(dataset, args)
    return 0


def _score(dataset: ClassificationDataset[Any], args: argparse.Namespace) -> None:
    from avdet.datasets.segments import unlabelled_segments
    from avdet.engine.predictions_csv import align, read_prediction_tables

    dataset, classes, tables = read_prediction_tables(dataset, args.predictions)
    dataset.load_metric_lists()
    annotated, faults = dataset.annotated("val", {})
    segments, scores = align(annotated, tables)
    for fault in faults + unlabelled_segments(segments):
        logger.warning("val: %s", fault)
    if len(segments) < len(annotated):
        logger.warning("%d of %d annotated clips have no prediction", len(annotated) - len(segments), len(annotated))
    metrics = dataset.metrics(classes, segments, scores, annotated)
    CONSOLE.print(metrics.text, highlight=False, markup=False)
    if args.json is not None:
        args.json.write_text(json.dumps(metrics.content, indent=2) + "\n", encoding="utf-8")
    if args.submission is not None:
        args.submission.write_text(dataset.submission(classes, segments.ids.tolist(), scores), encoding="utf-8")
        logger.info("wrote %s", args.submission)
