"""Evaluate a checkpoint on the val split of a config's data."""

from __future__ import annotations

import argparse
from pathlib import Path

from avdet.cli.arguments import ToolParser, user_errors
from avdet.cli.config_arguments import add_config_arguments, config_from_arguments, configure_logging, provide_sample
from avdet.config import Config
from avdet.datasets.dataset import require_data
from avdet.engine.run_dir import RunDir, new_run
from avdet.output_lock import lock_folder


def main(argv: list[str] | None = None) -> int:
    parser = ToolParser("test_net.py", __doc__)
    add_config_arguments(parser)
    parser.add_argument("--checkpoint", type=Path, required=True, help="best.pt of a run, or a public checkpoint")
    parser.add_argument("--output", type=Path, help="the run directory (default: runs/NAME-test)")
    args = parser.parse(argv)
    with user_errors():
        config = config_from_arguments(args)
        if not args.sample:
            require_data(config.dataset(), ("val",))
        run = new_run(f"{config.name}-test", args.output)
        with lock_folder(run.path):
            _test(config, args, run)
    return 0


def _test(config: Config, args: argparse.Namespace, run: RunDir) -> None:
    from avdet.cli.run_summary import print_result
    from avdet.distributed import distributed_context
    from avdet.engine.test_run import test

    with distributed_context() as process:
        configure_logging(quiet=not process.is_main)
        if args.sample:
            process.main_first(lambda: provide_sample(config))
        result = test(config, args.checkpoint, run, process)
        if process.is_main:
            print_result(result, run, config)
