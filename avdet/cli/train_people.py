"""Fine-tune a person detector on a recipe's labelled people, and say how well it finds those of val."""

from __future__ import annotations

import argparse
import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.arguments import user_errors
from avdet.cli.config_arguments import add_config_arguments, config_from_arguments, configure_logging
from avdet.cli.people_split import labelled_split, provide_labels
from avdet.engine.run_dir import RunDir, new_run
from avdet.settings import Config

if TYPE_CHECKING:
    from avdet.people.person_detector import PersonDetector, TrainablePersonDetector
    from avdet.structures import PersonBoxes

logger = logging.getLogger(__name__)
EPOCHS, SAMPLE_EPOCHS = 4, 5
RATE, SAMPLE_RATE = 0.005, 0.02  # a model that knows people already, and one that starts anew


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="train_people.py", description=__doc__)
    add_config_arguments(parser)
    parser.add_argument("--output", type=Path, help="the run directory; runs/NAME-people where it is not given")
    parser.add_argument(
        "--detector", choices=("detectron2", "torchvision"),
        help="default: what trained --weights, else Detectron2 where it is installed, else torchvision",
    )  # fmt: skip
    parser.add_argument(
        "--model",
        help="Detectron2: a config file or a name in its zoo; torchvision: resnet50, mobilenet or tiny (default: with "
        "--sample a small one)",
    )
    parser.add_argument("--weights", type=Path, help="to start from; the model's published ones where it is not given")
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ... (default: the GPU where there is one)")
    parser.add_argument(
        "--epochs", type=int, help=f"default {EPOCHS}, with --sample {SAMPLE_EPOCHS}; 0 evaluates a detector as it is"
    )
    parser.add_argument("--batch-size", type=int, default=8, help="pictures a step (default 8)")
    parser.add_argument("--lr", type=float, help=f"highest learning rate (default {RATE}, with --sample {SAMPLE_RATE})")
    parser.add_argument("--evaluate", action="store_true", help="person AP, recall and precision on val, and its boxes")
    args = parser.parse_intermixed_args(argv)
    args.epochs = (SAMPLE_EPOCHS if args.sample else EPOCHS) if args.epochs is None else args.epochs
    args.lr = (SAMPLE_RATE if args.sample else RATE) if args.lr is None else args.lr
    configure_logging()
    with user_errors():
        config = config_from_arguments(args)
        if args.epochs < 0 or args.batch_size < 1:
            raise ValueError(f"--epochs {args.epochs} and --batch-size {args.batch_size} give no training; raise them")
        if not 0.0 < args.lr < math.inf:
            raise ValueError(f"--lr is {args.lr}; give a finite rate above 0")
        provide_labels(config, ("train", "val"), sample=args.sample)
        _run(config, new_run(f"{config.name}-people", args.output, resumable=False), args)
    return 0


def _run(config: Config, run: RunDir, args: argparse.Namespace) -> None:
    import numpy as np
    import torch

    from avdet.cli.evaluate_people import evaluate_people
    from avdet.people.build_detector import build_person_detector, build_trainable_detector

    torch.manual_seed(config.seed)
    np.random.seed(config.seed)  # Detectron2 draws its sizes there
    chosen = {"model": args.model, "weights": args.weights, "device": args.device}
    detector: PersonDetector
    if args.epochs:
        detector = learner = build_trainable_detector(args.detector, **chosen, sample=args.sample)
        _train(learner, config, run, args)
    else:
        detector = build_person_detector(args.detector, **chosen)
        _begin(run, config)
    if args.evaluate or not args.epochs:
        evaluate_people(detector, config, run)


def _begin(run: RunDir, config: Config) -> None:
    run.path.mkdir(parents=True, exist_ok=True)
    run.config.write_text(config.to_yaml(), encoding="utf-8")


def _with_extent(people: PersonBoxes) -> PersonBoxes:
    return people.select((people.boxes[:, 2:] > people.boxes[:, :2]).all(dim=1))


def _train(detector: TrainablePersonDetector, config: Config, run: RunDir, args: argparse.Namespace) -> None:
    """Saves after each epoch."""
    from avdet.distributed import reserve_worker_cores
    from avdet.engine.progress import progress_bar
    from avdet.people.build_detector import save_person_detector
    from avdet.people.fine_tune import LabelledFrame, LabelledFrameLoader, LabelledFrames, fine_tune

    reserve_worker_cores(config.data.workers)
    keyframes, movies = labelled_split(config, "train")
    labelled = [keyframes[index] for index in range(len(keyframes))]
    shots = [LabelledFrame(movies[one.video], one.video_s, _with_extent(one.people)) for one in labelled]
    people = sum(len(shot.persons) for shot in shots)
    if people < len(keyframes.people):
        logger.warning("train: %d boxes without extent are left out", len(keyframes.people) - people)
    loader = LabelledFrameLoader(
        LabelledFrames(shots, flip=True),
        batch_size=args.batch_size, workers=config.data.workers, shuffle=True, seed=config.seed,
    )  # fmt: skip
    _begin(run, config)
    logger.info("train: %d keyframes with %d people, %d epochs", len(shots), people, args.epochs)
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
