"""Convert a checkpoint of PySlowFast, AVSlowFast, Caffe2, PyTorchVideo, MMAction2 or GluonCV to avdet's format.

Without --config the model is inferred from the weights and the config in the file, and all weights must match. With
--config the weights are loaded into the config's model, which may differ: SlowFast weights initialise an AVSlowFast.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from avdet.checkpoints.checkpoint_io import save_checkpoint
from avdet.checkpoints.public_class_names import public_class_names
from avdet.checkpoints.third_party import ThirdPartyCheckpoint, read_third_party
from avdet.checkpoints.weights import LoadReport, load_state, load_whole, settings_that_differ
from avdet.cli.arguments import ToolParser, require_output, user_errors
from avdet.cli.config_arguments import configure_logging
from avdet.config import Config, load_config, parse_config
from avdet.datasets.detection import DetectionDataset
from avdet.models.build import build_model


def main(argv: list[str] | None = None) -> int:
    parser = ToolParser("convert_checkpoint.py", __doc__)
    parser.add_argument("source", metavar="IN", type=Path, help="a .pyth, .pth or .pkl file")
    parser.add_argument("target", metavar="OUT", type=Path, help="the .pt file to write")
    parser.add_argument("--config", type=Path, help="config of the model; files without one need it")
    args = parser.parse(argv)
    configure_logging()
    with user_errors():
        require_output(args.target, (args.source, args.config), option="OUT")
        report = convert(args.source, args.target, None if args.config is None else load_config(args.config))
        sys.stdout.write(f"{report}\nWrote {args.target}\n")
    return 0


def convert(source: Path, target: Path, config: Config | None) -> LoadReport:
    """Writes `target` and reports where every tensor went. Raises ValueError where the weights do not match."""
    checkpoint = read_third_party(source)
    new_config = _inferred_config(source, checkpoint) if config is None else config
    new_config = new_config.model_copy(update={"model": new_config.model.model_copy(update={"weights": None})})
    model = build_model(new_config.model, num_classes=checkpoint.num_classes, head="clip")  # as the ROI head's
    if config is None:
        report = load_whole(model, checkpoint.model_state, source)
    else:
        report = load_state(model, checkpoint.model_state)
        differences = settings_that_differ(checkpoint.settings["model"], new_config.model.model_dump())
        report = replace(report, notes=(*report.notes, *differences))
    save_checkpoint(
        target,
        model_state=model.state_dict(),
        config=new_config.model_dump(mode="json"),
        class_names=_class_names(checkpoint, config),
    )
    return report


def _inferred_config(source: Path, checkpoint: ThirdPartyCheckpoint) -> Config:
    if not checkpoint.has_all_settings:
        raise ValueError(f"{source} does not contain the number of input frames; give --config, see docs/model_zoo.md")
    return parse_config({"name": source.stem, **checkpoint.settings})


def _class_names(checkpoint: ThirdPartyCheckpoint, config: Config | None) -> Mapping[int, str]:
    """The config's class names if its files exist and name every class, else those of the public list."""
    if config is None:
        return checkpoint.class_names()
    dataset = config.dataset()
    names: Mapping[int, str] = {}
    if isinstance(dataset, DetectionDataset):
        if all(path.is_file() for setting, path in dataset.files("val").items() if setting.endswith("label_map")):
            names = dataset.label_map()
    elif all(path.is_file() for path in dataset.files("val").values()):
        class_sets = list(dataset.class_sets().values())
        names = class_sets[0].label_map if len(class_sets) == 1 else {}
    count = checkpoint.num_classes
    return names if len(names) == count else public_class_names(count, detector=isinstance(dataset, DetectionDataset))
