"""Train a model by a recipe, evaluate it, and show what it found."""

from __future__ import annotations

import argparse
import logging
import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from avdet.cli.arguments import user_errors
from avdet.cli.config_arguments import add_config_arguments, config_from_arguments, configure_logging, provide_sample
from avdet.config import load_config
from avdet.datasets.data_settings import AvaData
from avdet.datasets.locate import require_data
from avdet.engine.run_dir import RunDir, latest_run, new_run, restarted_run
from avdet.settings import Config

logger = logging.getLogger(__name__)
INTERRUPTED = 130  # as shells count it
RESTARTS = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))  # torchrun's, after a worker was lost


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="train_net.py", description=__doc__)
    add_config_arguments(parser)
    parser.add_argument("--output", type=Path, help="the run directory; runs/NAME where it is not given")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --output, or with the newest one")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="two steps, an evaluation in small, a checkpoint and back; leaves nothing",
    )
    args = parser.parse_intermixed_args(argv)
    with user_errors(), ExitStack() as stack:
        config = config_from_arguments(args)
        resumes = args.resume
        if args.dry_run and resumes:
            raise ValueError("--dry-run leaves nothing, so there is nothing that --resume goes on with; leave one out")
        if args.dry_run:
            run = RunDir(Path(stack.enter_context(TemporaryDirectory())))
        elif RESTARTS:
            run, resumes = restarted_run(config.name, args.output)
        else:
            run = latest_run(config.name, args.output) if resumes else new_run(config.name, args.output)
        if resumes:
            config = load_config(run.config, overrides=tuple(args.overrides))
        if not args.sample:
            require_data(config.data)
        return _run(config, run, args, resumes=resumes)


def _run(config: Config, run: RunDir, args: argparse.Namespace, *, resumes: bool) -> int:
    # torch takes seconds to import: a wrong setting or missing data is said before
    from avdet.annotations.checks.check_detection import refuse_faulty
    from avdet.cli.show import annotate_first_video, show_result
    from avdet.distributed import distributed_context
    from avdet.engine.interrupt import Interrupted
    from avdet.engine.session import dry_run, train

    with distributed_context() as process:
        configure_logging(quiet=not process.is_main)
        if args.sample:
            process.main_first(lambda: provide_sample(config))
        if process.is_main and isinstance(config.data, AvaData):
            refuse_faulty(config.data)
        if args.dry_run:
            dry_run(config, run, process)
            return 0
        try:
            result = train(config, run, process, resume=resumes)
        except Interrupted:
            logger.info("Stopped and saved in %s; add --resume to the same command to go on", run.path)
            return INTERRUPTED
        if process.is_main:
            show_result(result, run)
            if isinstance(config.data, AvaData):
                annotate_first_video(run, config)
    return 0
