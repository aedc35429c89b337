"""Score the predictions of a classification run from their CSV, or convert them to a benchmark's submission format."""

from __future__ import annotations

import argparse
import json
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.arguments import ToolParser, require_output, user_errors
from avdet.cli.config_arguments import add_config_arguments, config_from_arguments, configure_logging
from avdet.engine.progress import CONSOLE

if TYPE_CHECKING:
    from avdet.datasets.data_settings import ClipData
    from avdet.datasets.keyframes import ClassNames
    from avdet.datasets.metrics import Scores
    from avdet.engine.epic_lists import EpicLists

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
        from avdet.datasets.data_settings import CharadesData, ClipData, EpicData

        if not isinstance(config.data, ClipData):
            raise ValueError(f"{args.config} trains a detector; score its detections.csv with python -m ava_eval")
        if args.submission is not None and not isinstance(config.data, EpicData | CharadesData):
            raise ValueError(
                f"--submission {args.submission}: only EPIC-Kitchens and Charades have a submission format"
            )
        inputs = (args.config, *args.predictions, *config.data.annotations.glob("*"))
        for option, path, other in (("--json", args.json, None), ("--submission", args.submission, args.json)):
            if path is not None:
                require_output(path, (*inputs, other), option=option)
                path.parent.mkdir(parents=True, exist_ok=True)
        configure_logging()
        _score(config.data, args)
    return 0


def _score(data: ClipData, args: argparse.Namespace) -> None:
    from avdet.data.build_clips import read_faults
    from avdet.datasets.segments import unlabelled
    from avdet.engine.classification_metrics import score_clips
    from avdet.engine.epic_lists import read_epic_lists
    from avdet.engine.predictions import align, read_tables

    data, classes, tables = read_tables(data, args.predictions)
    epic = read_epic_lists(data)
    annotated, faults = read_faults(data, "val", {})
    segments, scores = align(annotated, tables)
    for fault in faults + unlabelled(segments):
        logger.warning("val: %s", fault)
    if len(segments) < len(annotated):
        logger.warning("%d of %d annotated clips have no prediction", len(annotated) - len(segments), len(annotated))
    metrics = score_clips(data, classes, segments, scores, listed=annotated, epic=epic)
    CONSOLE.print(metrics.text(), highlight=False, markup=False)
    if args.json is not None:
        args.json.write_text(json.dumps(metrics.content, indent=2) + "\n", encoding="utf-8")
    if args.submission is not None:
        _write_submission(data, classes, segments.ids.tolist(), scores, epic, args.submission)


def _write_submission(
    data: ClipData,
    classes: dict[str, ClassNames],
    ids: list[str],
    scores: dict[str, Scores],
    epic: EpicLists | None,
    path: Path,
) -> None:
    from avdet.datasets.data_settings import CharadesData, EpicData
    from avdet.datasets.epic import id_column
    from avdet.datasets.epic_scores import submission
    from avdet.datasets.tables import read_table

    if isinstance(data, EpicData) and epic is not None and set(scores) == {"verb", "noun"}:
        class_ids = {name: names.ids for name, names in classes.items()}
        table = data.annotations / (data.train_csv if data.val_participants else data.val_csv)
        version = "0.1" if id_column(read_table(table, ()), table) == "uid" else "0.2"
        content = submission(ids, scores, class_ids, epic.actions, version=version)
        path.write_text(json.dumps(content), encoding="utf-8")
    elif isinstance(data, CharadesData):
        rows = (" ".join([name, *(f"{x:.9g}" for x in row)]) for name, row in zip(ids, scores["action"], strict=True))
        path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    else:
        raise ValueError(
            f"--submission {path} needs verbs and nouns, not {list(scores)} alone; give both of EPIC's tables"
        )
    logger.info("wrote %s", path)
