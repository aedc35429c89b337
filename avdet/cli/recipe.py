"""The arguments that every tool with a --config shares, and the config that they mean."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from rich.logging import RichHandler
from rich.progress import Progress

from avdet.config import load_config
from avdet.engine.progress import CONSOLE
from avdet.settings import Config

__all__ = ["add_recipe_arguments", "config_of", "provide_sample", "say_what_happens"]

logger = logging.getLogger(__name__)
SAMPLE_FOLDER = Path("data/sample")
SAMPLE_OVERLAY = Path(__file__).parents[1] / "data" / "sample" / "recipe.yaml"


def add_recipe_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, help="a recipe, for example configs/ava/avslowfast.yaml")
    parser.add_argument(
        "--sample", action="store_true", help=f"scale the recipe down and run it on the sample set in {SAMPLE_FOLDER}"
    )
    parser.add_argument("overrides", nargs="*", metavar="section.key=value", help="settings that win over the recipe's")


def config_of(args: argparse.Namespace) -> Config:
    """The recipe, scaled down where --sample asks for it, with the overrides of the command line."""
    if not args.sample:
        return load_config(args.config, overrides=tuple(args.overrides))
    config = load_config(args.config, overlays=(SAMPLE_OVERLAY,), overrides=tuple(args.overrides))
    return config.model_copy(update={"name": f"{config.name}-sample"})


def provide_sample() -> None:
    """Makes the sample set on first use, and says so."""
    from avdet.data.sample.make import ensure_sample, is_whole

    if is_whole(SAMPLE_FOLDER):
        return
    logger.info("making the sample set in %s: 44 videos, about a minute", SAMPLE_FOLDER)
    with Progress(console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal) as progress:
        task = progress.add_task("sample videos", total=None)
        ensure_sample(SAMPLE_FOLDER, progress=lambda done, total: progress.update(task, completed=done, total=total))


def say_what_happens(*, quiet: bool = False) -> None:
    """The library's log lines go to the terminal, above its progress bars; of several processes one speaks."""
    handler: logging.Handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", datefmt="%H:%M:%S"))
    if CONSOLE.is_terminal:
        handler = RichHandler(console=CONSOLE, show_path=False, show_level=False, log_time_format="%H:%M:%S")
    logging.basicConfig(level=logging.ERROR if quiet else logging.INFO, handlers=[handler], force=True)
