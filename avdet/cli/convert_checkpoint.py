"""Convert a checkpoint of PySlowFast, of the AVSlowFast reference or of Caffe2 to avdet's format.

Without --config the model is inferred from the weights and the config in the file, and all weights must match. With
--config the weights are loaded into the config's model, which may differ: SlowFast weights initialise an AVSlowFast.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from avdet.checkpoints.checkpoint_io import save_checkpoint
from avdet.checkpoints.infer_config import infer_model_settings, read_pyslowfast_config
from avdet.checkpoints.third_party import ThirdPartyCheckpoint, read_third_party
from avdet.checkpoints.weights import LoadReport, load_state
from avdet.cli.arguments import ToolParser, require_output, user_errors
from avdet.config import Config, load_config
from avdet.datasets.detection import DetectionDataset
from avdet.models.build import build_model
from avdet.settings import ModelConfig

CLASSIFIER = "head.classifier.linear.action.bias"


def main(argv: list[str] | None = None) -> int:
    parser = ToolParser("convert_checkpoint.py", __doc__)
    parser.add_argument("source", metavar="IN", type=Path, help="a .pyth or .pkl file")
    parser.add_argument("target", metavar="OUT", type=Path, help="the .pt file to write")
    parser.add_argument("--config", type=Path, help="config of the model for the weights; Caffe2 files need it")
    args = parser.parse(argv)
    with user_errors():
        require_output(args.target, (args.source, args.config), option="OUT")
        report = convert(args.source, args.target, None if args.config is None else load_config(args.config))
        sys.stdout.write(f"{report}\nWrote {args.target}\n")
    return 0


def convert(source: Path, target: Path, config: Config | None) -> LoadReport:
    """Writes `target` and reports where every tensor went. Raises ValueError where the weights do not match."""
    checkpoint = read_third_party(source)
    if CLASSIFIER not in checkpoint.model_state:
        raise ValueError(f"{source} has no classifier, so it is no complete model; give a trained checkpoint")
    new_config = Config(name=source.stem, model=_infer_model(source, checkpoint)) if config is None else config
    new_config = new_config.model_copy(update={"model": new_config.model.model_copy(update={"weights": None})})
    num_classes = len(checkpoint.model_state[CLASSIFIER])
    model = build_model(new_config.model, num_classes=num_classes, head="clip")  # the ROI head has the same weights
    report = load_state(model, checkpoint.model_state)
    if config is None and (report.new or report.unused or report.sliced):
        raise ValueError(
            f"the model of {source} cannot be inferred from its weights ({(report.new + report.unused)[0]} has no "
            "counterpart); give its config with --config"
        )
    save_checkpoint(
        target,
        model_state=model.state_dict(),
        config=new_config.model_dump(mode="json"),
        class_names=_class_names(num_classes, config),
    )
    return report


def _infer_model(source: Path, checkpoint: ThirdPartyCheckpoint) -> ModelConfig:
    if checkpoint.config_text is None:
        raise ValueError(f"{source} does not contain the number of input frames; give its config with --config")
    return ModelConfig.model_validate(
        {**infer_model_settings(checkpoint.model_state), **read_pyslowfast_config(checkpoint.config_text)}
    )


def _class_names(count: int, config: Config | None) -> Mapping[int, str]:
    """The config's class names if its files exist and match, else "class N"; AVA's ids start at 1, clip labels at 0."""
    dataset = None if config is None else config.dataset()
    names: Mapping[int, str] = {}
    if dataset is None or isinstance(dataset, DetectionDataset):
        if dataset is not None and dataset.files("val")["data.label_map"].is_file():
            names = dataset.label_map()
        return {i: names.get(i, f"class {i}") for i in range(1, count + 1)}
    if all(path.is_file() for path in dataset.files("val").values()):
        class_sets = list(dataset.class_sets().values())
        if len(class_sets) == 1 and len(class_sets[0]) == count:
            names = class_sets[0].label_map
    return names or {i: f"class {i}" for i in range(count)}
