"""Train the model of a config, evaluate it on the val split, and write an annotated video."""

from __future__ import annotations

import argparse
import logging
import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from avdet.cli.arguments import INTERRUPTED, ToolParser, user_errors
from avdet.cli.config_arguments import (
    add_config_arguments,
    config_from_arguments,
    configure_logging,
    overfit_overrides,
    provide_sample,
)
from avdet.config import Config, load_config
from avdet.datasets.dataset import require_data
from avdet.engine.run_dir import RunDir, latest_run, new_run, restarted_run
from avdet.output_lock import lock_folder

logger = logging.getLogger(__name__)
RESTARTS = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))  # of torchrun, after a lost worker


def main(argv: list[str] | None = None) -> int:
    parser = ToolParser("train_net.py", __doc__)
    add_config_arguments(parser)
    parser.add_argument("--output", type=Path, help="the run directory (default: runs/NAME)")
    parser.add_argument("--resume", action="store_true", help="resume the run in --output, or the latest run")
    parser.add_argument(
        "--dry-run", action="store_true", help="run two steps, a small evaluation and a checkpoint; keep no files"
    )
    parser.add_argument(
        "--overfit",
        type=int,
        metavar="N",
        help="train and evaluate on N training clips: the score rises to the top if data, labels and model fit",
    )
    args = parser.parse(argv)
    with user_errors(), ExitStack() as stack:
        config = config_from_arguments(args)
        resume = args.resume
        if args.overfit is not None:
            if resume:
                raise ValueError("--overfit starts a run of its own, and --resume keeps a run's settings; remove one")
            args.overrides = [*overfit_overrides(config, args.overfit), *args.overrides]
            config = config_from_arguments(args)
            config = config.model_copy(update={"name": f"{config.name}-overfit"})
        if args.dry_run and resume:
            raise ValueError("--dry-run keeps no files, so --resume has no effect; remove one of them")
        if args.dry_run:
            run = RunDir(Path(stack.enter_context(TemporaryDirectory())))
        elif RESTARTS:
            run, resume = restarted_run(config.name, args.output)
        else:
            run, resume = latest_run(config.name, args.output) if resume else (new_run(config.name, args.output), False)
        stack.enter_context(lock_folder(run.path))
        if resume:
            config = load_config(run.config, overrides=tuple(args.overrides))
        if not args.sample:
            require_data(config.dataset())
        return _train(config, run, args, resume=resume)


def _train(config: Config, run: RunDir, args: argparse.Namespace, *, resume: bool) -> int:
    # Imported here, because torch takes seconds and a wrong setting is reported before.
    from avdet.annotations.checks.check_data import refuse_faulty
    from avdet.cli.run_summary import print_result
    from avdet.distributed import distributed_context
    from avdet.engine.interrupt import Interrupted
    from avdet.engine.sanity_check import sanity_check
    from avdet.engine.session import TrainingSession, train

    with distributed_context() as process:
        configure_logging(quiet=not process.is_main)
        if args.sample:
            process.main_first(lambda: provide_sample(config))
        if process.is_main:
            refuse_faulty(config.dataset())
        if args.dry_run:
            sanity_check(TrainingSession(config, run, process))
            return 0
        try:
            result = train(config, run, process, resume=resume)
        except Interrupted:
            logger.info("Interrupted; saved in %s. Add --resume to the same command to resume the run", run.path)
            return INTERRUPTED
        if process.is_main:
            print_result(result, run, config, annotate=True)
    return 0
