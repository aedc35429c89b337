"""The arguments that every tool with a --config shares, and the config that they mean."""

from __future__ import annotations

import argparse
import logging
import sys
from functools import partial
from pathlib import Path

from rich.logging import RichHandler
from rich.progress import Progress

from avdet.config import load_config
from avdet.datasets.data_settings import AvaData, KineticsData
from avdet.engine.progress import CONSOLE
from avdet.settings import Config

__all__ = ["add_recipe_arguments", "config_of", "provide_sample", "sample_overlay", "say_what_happens"]

logger = logging.getLogger(__name__)
SAMPLE_FOLDER = Path("data/sample")
CLIP_SAMPLE_FOLDER = Path("data/sample-clips")
UNLABELLED_FOLDER = Path("data/sample-unlabelled")
OVERLAYS = Path(__file__).parents[1] / "synthetic"


def add_recipe_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, help="a recipe, for example configs/ava/avslowfast.yaml")
    parser.add_argument(
        "--sample",
        action="store_true",
        help="scale the recipe down and run it on the built-in sample set, made in data/ on first use",
    )
    parser.add_argument("overrides", nargs="*", metavar="section.key=value", help="settings that win over the recipe's")


def config_of(args: argparse.Namespace) -> Config:
    """The recipe, scaled down where --sample asks for it, with the overrides of the command line."""
    if not args.sample:
        return load_config(args.config, overrides=tuple(args.overrides))
    overlay = sample_overlay(load_config(args.config))
    config = load_config(args.config, overlays=(overlay,), overrides=tuple(args.overrides))
    return config.model_copy(update={"name": f"{config.name}-sample"})


def sample_overlay(config: Config) -> Path:
    """What --sample changes in a recipe for that kind of data and of learning."""
    if isinstance(config.data, AvaData):
        return OVERLAYS / "recipe.yaml"
    return OVERLAYS / f"recipe_{'unlabelled' if _unlabelled(config) else config.data.kind}.yaml"


def _unlabelled(config: Config) -> bool:
    return isinstance(config.data, KineticsData) and config.data.task != "classification"


def provide_sample(config: Config) -> None:
    """Makes the sample set that a recipe needs on first use, and says so."""
    from avdet.synthetic.make_clip_sample import (
        UNLABELLED,
        ClipSampleSettings,
        ensure_clip_sample,
        is_clip_sample,
    )
    from avdet.synthetic.make_sample import ensure_sample, is_whole

    if isinstance(config.data, AvaData):
        folder, videos, is_made, make = SAMPLE_FOLDER, 44, is_whole, ensure_sample
    else:
        settings = UNLABELLED if _unlabelled(config) else ClipSampleSettings()
        folder = UNLABELLED_FOLDER if _unlabelled(config) else CLIP_SAMPLE_FOLDER
        videos = settings.world.num_train + settings.world.num_val
        is_made, make = partial(is_clip_sample, settings=settings), partial(ensure_clip_sample, settings=settings)
    if is_made(folder):
        return
    logger.info("making the sample set in %s: %d videos, a minute or two", folder, videos)
    with Progress(console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal) as progress:
        task = progress.add_task("sample videos", total=None)
        make(folder, progress=lambda done, total: progress.update(task, completed=done, total=total))


def say_what_happens(*, quiet: bool = False) -> None:
    """The library's log lines go to the terminal, above its progress bars; of several processes one speaks."""
    handler: logging.Handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", datefmt="%H:%M:%S"))
    if CONSOLE.is_terminal:
        handler = RichHandler(console=CONSOLE, show_path=False, show_level=False, log_time_format="%H:%M:%S")
    logging.basicConfig(level=logging.ERROR if quiet else logging.INFO, handlers=[handler], force=True)
