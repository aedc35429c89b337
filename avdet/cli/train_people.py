"""Fine-tune a person detector on the labelled persons of a config's data, and evaluate it on the val split."""

from __future__ import annotations

import argparse
import json
import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.atomic_write import atomic_write
from avdet.cli.arguments import ToolParser, add_person_arguments, person_detector_arguments, user_errors
from avdet.cli.config_arguments import add_config_arguments, config_from_arguments, configure_logging
from avdet.cli.person_labels import read_person_labels, require_person_labels
from avdet.config import Config
from avdet.engine.run_dir import RunDir, new_run, write_config
from avdet.output_lock import lock_folder

if TYPE_CHECKING:
    from avdet.data.keyframes import KeyframeTable
    from avdet.people.fine_tune import LabelledFrameLoader
    from avdet.people.person_detector import PersonDetector, TrainablePersonDetector
    from avdet.structures import PersonBoxes

logger = logging.getLogger(__name__)
EPOCHS, SAMPLE_EPOCHS = 4, 5
LR, SAMPLE_LR = 0.005, 0.02  # from published weights, and from random weights
MIN_SCORE = 0.05  # of the boxes that are evaluated


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse(argv)
    args.epochs = (SAMPLE_EPOCHS if args.sample else EPOCHS) if args.epochs is None else args.epochs
    args.lr = (SAMPLE_LR if args.sample else LR) if args.lr is None else args.lr
    configure_logging()
    with user_errors():
        config = config_from_arguments(args)
        if args.epochs < 0 or args.batch_size < 1:
            raise ValueError(
                f"--epochs is {args.epochs} and --batch-size is {args.batch_size}; give 0 or more epochs and a batch "
                "size of 1 or more"
            )
        if not 0.0 < args.lr < math.inf:
            raise ValueError(f"--lr is {args.lr}; give a finite learning rate above 0")
        require_person_labels(config, ("train", "val"), sample=args.sample)
        run = new_run(f"{config.name}-people", args.output, resumable=False)
        with lock_folder(run.path):
            _run(config, run, args)
    return 0


def _parser() -> ToolParser:
    parser = ToolParser("train_people.py", __doc__)
    add_config_arguments(parser)
    parser.add_argument("--output", type=Path, help="the run directory (default: runs/NAME-people)")
    flags = {option: (f"--{option}", f"--person-{option}") for option in ("weights", "model")}
    add_person_arguments(parser, weights=flags["weights"], model=flags["model"])
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ... (default: a GPU if there is one)")
    parser.add_argument(
        "--epochs",
        type=int,
        help=f"default {EPOCHS}, with --sample {SAMPLE_EPOCHS}; 0 evaluates a detector without training it",
    )
    parser.add_argument("--batch-size", type=int, default=8, help="frames per step (default 8)")
    parser.add_argument("--lr", type=float, help=f"peak learning rate (default {LR}, with --sample {SAMPLE_LR})")
    parser.add_argument("--evaluate", action="store_true", help="write the val boxes, and AP, recall and precision")
    return parser


def _run(config: Config, run: RunDir, args: argparse.Namespace) -> None:
    import numpy as np
    import torch

    from avdet.people.build_detector import build_person_detector, build_trainable_detector

    torch.manual_seed(config.seed)
    np.random.seed(config.seed)  # Detectron2 samples training sizes with it
    options = {**person_detector_arguments(args), "device": args.device}
    detector: PersonDetector
    if args.epochs:
        detector = trainable = build_trainable_detector(**options, sample=args.sample)
        _train(trainable, config, run, args)
    else:
        detector = build_person_detector(**options)
        _create(run, config)
    if args.evaluate or not args.epochs:
        _evaluate(detector, config, run)


def _create(run: RunDir, config: Config) -> None:
    write_config(run, config.to_yaml())


def _train(detector: TrainablePersonDetector, config: Config, run: RunDir, args: argparse.Namespace) -> None:
    """Saves the detector after each epoch."""
    from avdet.engine.progress import progress_bar
    from avdet.people.build_detector import save_person_detector
    from avdet.people.fine_tune import fine_tune

    loader = _train_loader(config, args.batch_size)
    _create(run, config)
    logger.info("train: %d steps in each of %d epochs", len(loader), args.epochs)
    path = run.path / "people.pt"
    losses: list[float] = []
    with progress_bar("train", args.epochs * len(loader)) as advance:

        def on_step(loss: float) -> None:
            losses.append(loss)
            advance(f"loss {loss:.3f}")
            if len(losses) % len(loader) == 0:
                epoch_losses = losses[-len(loader) :]
                logger.info("epoch %d: loss %.3f", len(losses) // len(loader), sum(epoch_losses) / len(loader))
                save_person_detector(path, detector)

        fine_tune(detector, loader, epochs=args.epochs, steps_per_epoch=len(loader), lr=args.lr, on_step=on_step)
    logger.info("The detector is in %s; give it to --weights", path)


def _train_loader(config: Config, batch_size: int) -> LabelledFrameLoader:
    from avdet.distributed import reserve_worker_cores
    from avdet.people.fine_tune import LabelledFrame, LabelledFrameLoader, LabelledFrames

    reserve_worker_cores(config.data.workers)
    table, video_paths = read_person_labels(config, "train")
    keyframes = [table[index] for index in range(len(table))]
    frames = [LabelledFrame(video_paths[one.video], one.video_s, _with_area(one.people)) for one in keyframes]
    num_persons = sum(len(frame.persons) for frame in frames)
    logger.info("train: %d keyframes with %d persons", len(frames), num_persons)
    if num_persons < len(table.people):
        logger.warning("train: %d boxes of zero width or height are ignored", len(table.people) - num_persons)
    dataset = LabelledFrames(frames, flip=True)
    workers = config.data.workers
    return LabelledFrameLoader(dataset, batch_size=batch_size, workers=workers, shuffle=True, seed=config.seed)


def _with_area(persons: PersonBoxes) -> PersonBoxes:
    return persons.select((persons.boxes[:, 2:] > persons.boxes[:, :2]).all(dim=1))


def _evaluate(detector: PersonDetector, config: Config, run: RunDir) -> None:
    """Writes the val boxes to boxes.csv and the metrics to results.json, with their provenance.

    Recall, precision and identity switches count boxes with `data.min_box_score` or more, which action detection uses.
    """
    from avdet.engine.progress import progress_bar
    from avdet.engine.results import provenance
    from avdet.people.box_table import box_table, csv_lines
    from avdet.people.find_persons import detect_persons_at
    from avdet.people.person_metrics import id_switches, person_metrics

    table, video_paths = read_person_labels(config, "val")
    threshold = config.detection_dataset().config.min_box_score
    labels: list[PersonBoxes] = []
    detections: list[PersonBoxes] = []
    csv: list[str] = []
    switches = 0
    keyframes_of_video = _keyframes_by_video(table)
    with progress_bar("val", len(keyframes_of_video)) as advance:
        for video, (times_s, persons) in keyframes_of_video.items():
            origin_s = table.offsets.of(video)
            found = detect_persons_at(video_paths[video], detector, times_s, min_score=MIN_SCORE, origin_s=origin_s)
            csv.append(csv_lines(box_table(video, times_s, found)))
            switches += id_switches(persons, [boxes.select(boxes.scores >= threshold) for boxes in found])
            labels += persons
            detections += found
            advance(video)
    with atomic_write(run.path / "boxes.csv") as partial:
        partial.write_text("".join(csv), encoding="utf-8")
    metrics = {**person_metrics(labels, detections, threshold=threshold).to_json(), "identity_switches": switches}
    files = [path for path in config.dataset().files("val").values() if path.is_file()]
    content = {"people": metrics, "seed": config.seed, **provenance(files, config.data.videos)}
    with atomic_write(run.results) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    formatted = (f"{name} {x:.3f}" if isinstance(x, float) else f"{name} {x}" for name, x in metrics.items())
    logger.info("val: %s", ", ".join(formatted))
    logger.info("The val boxes are in %s", (run.path / "boxes.csv").absolute())


def _keyframes_by_video(table: KeyframeTable) -> dict[str, tuple[list[float], list[PersonBoxes]]]:
    """Returns the times and the labelled persons of each video's keyframes, in order of time."""
    videos: dict[str, tuple[list[float], list[PersonBoxes]]] = {}
    for index in range(len(table)):
        keyframe = table[index]
        times_s, persons = videos.setdefault(keyframe.video, ([], []))
        times_s.append(keyframe.time_s)
        persons.append(keyframe.people)
    return videos
