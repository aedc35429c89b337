"""Turn a checkpoint of PySlowFast, of the AVSlowFast reference or of Caffe2 into one of avdet.

Without --config the network is read off the weights and the config inside the file, and all of it must fit. With
--config the weights fill the recipe's network, which may differ from the file's: SlowFast starts an AVSlowFast.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import ava_eval
from avdet.checkpoints.checkpoint_io import save_checkpoint
from avdet.checkpoints.infer_config import infer_model_settings, read_pyslowfast_config
from avdet.checkpoints.third_party import ThirdPartyCheckpoint, read_third_party
from avdet.checkpoints.weights import LoadReport, load_state
from avdet.cli.arguments import require_output, user_errors
from avdet.config import load_config
from avdet.data.build_clips import build_class_sets
from avdet.datasets.data_settings import AvaData
from avdet.datasets.locate import annotation_files
from avdet.models.build import build_model
from avdet.settings import Config, ModelConfig

CLASSIFIER = "head.classifier.linear.action.bias"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="convert_checkpoint.py", description=__doc__)
    parser.add_argument("source", metavar="IN", type=Path, help="a .pyth or .pkl")
    parser.add_argument("target", metavar="OUT", type=Path, help="the .pt to write")
    parser.add_argument("--config", type=Path, help="a recipe whose network the weights fill; Caffe2 files need one")
    args = parser.parse_args(argv)
    with user_errors():
        require_output(args.target, (args.source, args.config), option="OUT")
        report = convert(args.source, args.target, None if args.config is None else load_config(args.config))
        sys.stdout.write(f"{report}\n{args.target} is written.\n")
    return 0


def convert(source: Path, target: Path, recipe: Config | None) -> LoadReport:
    """Writes `target` and says where every tensor went. Raises ValueError where the weights do not fit."""
    foreign = read_third_party(source)
    if CLASSIFIER not in foreign.model_state:
        raise ValueError(f"{source} has no classifier, so it is no whole network; give a checkpoint that was trained")
    config = Config(name=source.stem, model=_model_of(source, foreign)) if recipe is None else recipe
    config = config.model_copy(update={"model": config.model.model_copy(update={"weights": None})})
    classes = len(foreign.model_state[CLASSIFIER])
    model = build_model(config.model, num_classes=classes, head="clip")  # both heads have the same weights
    report = load_state(model, foreign.model_state)
    if recipe is None and (report.new or report.unused or report.sliced):
        raise ValueError(
            f"{source} holds a network that its own weights do not describe ({(report.new + report.unused)[0]} is left "
            "over); give the recipe that it belongs to with --config"
        )
    save_checkpoint(
        target,
        model_state=model.state_dict(),
        config=config.model_dump(mode="json"),
        class_names=_class_names(classes, recipe),
    )
    return report


def _model_of(source: Path, foreign: ThirdPartyCheckpoint) -> ModelConfig:
    if foreign.config_text is None:
        raise ValueError(f"{source} does not say how many frames its network sees; give its recipe with --config")
    return ModelConfig.model_validate(
        {**infer_model_settings(foreign.model_state), **read_pyslowfast_config(foreign.config_text)}
    )


def _class_names(count: int, recipe: Config | None) -> Mapping[int, str]:
    """By the benchmark's ids, as far as the recipe's files know the names; AVA counts from 1, whole clips from 0."""
    if recipe is not None and not isinstance(recipe.data, AvaData):
        listed = all(path.is_file() for path in annotation_files(recipe.data, "val").values())
        sets = list(build_class_sets(recipe.data).values()) if listed else []
        same = len(sets) == 1 and len(sets[0]) == count
        return sets[0].label_map if same else {i: f"class {i}" for i in range(count)}
    known: Mapping[int, str] = {}
    if recipe is not None and (label_map := recipe.ava.annotations / recipe.ava.label_map).is_file():
        known = ava_eval.read_label_map(label_map)
    return {i: known.get(i, f"class {i}") for i in range(1, count + 1)}
