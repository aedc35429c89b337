"""The arguments of every tool that reads a config, and the console's log lines."""

from __future__ import annotations

import argparse
import io
import logging
import sys
from functools import partial
from pathlib import Path

from rich.logging import RichHandler
from rich.progress import Progress

from ava_eval.one_line import escaped
from avdet.config import Config, load_config
from avdet.datasets.dataset import Dataset, SampleSet
from avdet.datasets.detection import DetectionDataset
from avdet.engine.progress import CONSOLE

__all__ = [
    "add_config_arguments",
    "config_from_arguments",
    "configure_logging",
    "overfit_overrides",
    "provide_sample",
    "sample_recipe",
]

logger = logging.getLogger(__name__)
SAMPLE_FOLDERS: dict[SampleSet, Path] = {
    "detection": Path("data/sample"),
    "classification": Path("data/sample-clips"),
    "unlabelled": Path("data/sample-unlabelled"),
}
OVERFIT_EPOCHS = 5
RECIPES = Path(__file__).parents[1] / "synthetic" / "recipes"


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds --config, --sample and the overrides section.key=value."""
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
    recipe = sample_recipe(load_config(args.config).dataset())
    config = load_config(args.config, overlays=(recipe,), overrides=tuple(args.overrides))
    return config.model_copy(update={"name": f"{config.name}-sample"})


def overfit_overrides(config: Config, count: int) -> list[str]:
    """Overrides that train on `count` clips, each 100 times and without augmentation, and evaluate on the same."""
    if count < 1:
        raise ValueError(f"--overfit is {count}; give 1 clip or more")
    side = max(config.data.test_short_side, config.data.train_crop)
    settings = [
        f"data.overfit_clips={count}", f"data.train_short_side=[{side},{side}]", "data.flip=0", "data.colour_jitter=0",
        "data.pca_lighting=0", "model.dropout=0", "model.drop_pathway_rate=0",
        f"train.batch_size={min(count, config.train.batch_size)}", f"train.epochs={OVERFIT_EPOCHS}",
        f"train.eval_every={OVERFIT_EPOCHS}", "train.schedule=cosine", "train.milestones=[]", "train.warmup_epochs=0.5",
        "train.precise_bn_clips=0",
    ]  # fmt: skip
    is_detection = isinstance(config.dataset(), DetectionDataset)
    return [*settings, "data.repeat_threshold=0"] if is_detection else settings


def sample_recipe(dataset: Dataset) -> Path:
    """The settings with which --sample scales a config down. Raises ValueError for a benchmark without a sample set."""
    path = RECIPES / dataset.sample_recipe
    if not path.is_file():
        raise ValueError(f"--sample: there is no sample set for data of kind {dataset.config.kind}; leave it out")
    return path


def provide_sample(config: Config) -> None:
    """Creates the sample set that the config reads, if it does not exist yet."""
    from avdet.synthetic.make_clip_sample import ensure_clip_sample, is_clip_sample
    from avdet.synthetic.make_sample import ensure_sample, is_sample
    from avdet.synthetic.synthetic_settings import UNLABELLED, ClipSampleSettings

    sample_set = config.dataset().sample_set
    folder = SAMPLE_FOLDERS[sample_set]
    if sample_set == "detection":
        num_videos, exists, make = 44, is_sample(folder), ensure_sample
    else:
        settings = UNLABELLED if sample_set == "unlabelled" else ClipSampleSettings()
        num_videos = settings.scenes.num_train + settings.scenes.num_val
        exists, make = is_clip_sample(folder, settings=settings), partial(ensure_clip_sample, settings=settings)
    if exists:
        return
    logger.info("creating the sample set in %s: %d videos, 1 to 2 minutes", folder, num_videos)
    with Progress(console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal) as progress:
        task = progress.add_task("sample videos", total=None)
        make(folder, progress=lambda done, total: progress.update(task, completed=done, total=total))


def configure_logging(*, quiet: bool = False, to_stderr: bool = False) -> None:
    """Sends log lines to the terminal, above the progress bars; with `quiet` only errors."""
    handler: logging.Handler = logging.StreamHandler(sys.stderr if to_stderr else sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", datefmt="%H:%M:%S"))
    if CONSOLE.is_terminal and not to_stderr:
        handler = RichHandler(console=CONSOLE, show_path=False, show_level=False, log_time_format="%H:%M:%S")
    handler.addFilter(_escape)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the console may lack characters of class names
    logging.basicConfig(level=logging.ERROR if quiet else logging.INFO, handlers=[handler], force=True)


def _escape(record: logging.LogRecord) -> bool:
    """Escapes what a file's names would do to the terminal."""
    record.msg, record.args = escaped(record.getMessage()), ()
    return True
