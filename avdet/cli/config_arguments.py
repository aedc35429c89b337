"""The arguments of every tool that reads a config, and the console's log lines."""

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

__all__ = ["add_config_arguments", "config_from_arguments", "configure_logging", "provide_sample", "sample_overlay"]

logger = logging.getLogger(__name__)
SAMPLE_FOLDER = Path("data/sample")
CLIP_SAMPLE_FOLDER = Path("data/sample-clips")
UNLABELLED_FOLDER = Path("data/sample-unlabelled")
OVERLAYS = Path(__file__).parents[1] / "synthetic"


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, required=True, help="a YAML config, for example configs/ava/avslowfast.yaml"
    )
    parser.add_argument(
        "--sample",
        action="store_true",
        help="scale the config down and run it on the built-in sample set, which is created in data/ on first use",
    )
    parser.add_argument("overrides", nargs="*", metavar="section.key=value", help="settings that override the config's")


def config_from_arguments(args: argparse.Namespace) -> Config:
    """Loads --config with the overrides of the command line; --sample scales it down."""
    if not args.sample:
        return load_config(args.config, overrides=tuple(args.overrides))
    overlay = sample_overlay(load_config(args.config))
    config = load_config(args.config, overlays=(overlay,), overrides=tuple(args.overrides))
    return config.model_copy(update={"name": f"{config.name}-sample"})


def sample_overlay(config: Config) -> Path:
    """Returns the overlay with which --sample scales a config of this kind and task down."""
    if isinstance(config.data, AvaData):
        return OVERLAYS / "recipe.yaml"
    return OVERLAYS / f"recipe_{'unlabelled' if _unlabelled(config) else config.data.kind}.yaml"


def _unlabelled(config: Config) -> bool:
    return isinstance(config.data, KineticsData) and config.data.task != "classification"


def provide_sample(config: Config) -> None:
    """Creates the sample set that the config reads, if it does not exist yet."""
    from avdet.synthetic.make_clip_sample import ensure_clip_sample, is_clip_sample
    from avdet.synthetic.make_sample import ensure_sample, is_sample
    from avdet.synthetic.synthetic_settings import UNLABELLED, ClipSampleSettings

    if isinstance(config.data, AvaData):
        folder, videos, is_made, make = SAMPLE_FOLDER, 44, is_sample, ensure_sample
    else:
        settings = UNLABELLED if _unlabelled(config) else ClipSampleSettings()
        folder = UNLABELLED_FOLDER if _unlabelled(config) else CLIP_SAMPLE_FOLDER
        videos = settings.scenes.num_train + settings.scenes.num_val
        is_made, make = partial(is_clip_sample, settings=settings), partial(ensure_clip_sample, settings=settings)
    if is_made(folder):
        return
    logger.info("creating the sample set in %s: %d videos, 1 to 2 minutes", folder, videos)
    with Progress(console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal) as progress:
        task = progress.add_task("sample videos", total=None)
        make(folder, progress=lambda done, total: progress.update(task, completed=done, total=total))


def configure_logging(*, quiet: bool = False) -> None:
    """Sends log lines to the terminal, above the progress bars; with `quiet` only errors."""
    handler: logging.Handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", datefmt="%H:%M:%S"))
    if CONSOLE.is_terminal:
        handler = RichHandler(console=CONSOLE, show_path=False, show_level=False, log_time_format="%H:%M:%S")
    logging.basicConfig(level=logging.ERROR if quiet else logging.INFO, handlers=[handler], force=True)
