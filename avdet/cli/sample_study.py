"""python -m avdet.cli.sample_study STUDY: the sample runs behind a table of docs/, and the table.

Runs that are there are not run again, so a study goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from avdet.cli import train_net
from avdet.synthetic.benchmark_files import NUM_SPLITS, SOUND_DEFINED, camel

RUNS = Path("runs/study")
HEARD_ACTIONS = ("hand clap", "eat", "listen (e.g., to music)", "play musical instrument",
                 "talk to (e.g., self, a person, a group)")  # fmt: skip
DEAF = "model.audio=false"
PAIRS = {  # recipes and settings: sight alone, sight and sound
    "Kinetics": (["kinetics/slowfast_4x16_r50"], ["kinetics/avslowfast_4x16_r50"]),
    "Kinetics-Sounds": (["kinetics_sounds/slowfast_r50"], ["kinetics_sounds/avslowfast_r50"]),
    "EPIC verbs": (["epic/slowfast_verb"], ["epic/avslowfast_verb"]),
    "Charades": (["charades/slowfast"], ["charades/avslowfast"]),
    "UCF101": (["ucf101/finetune", DEAF], ["ucf101/finetune"]),
    "HMDB51": (["hmdb51/finetune", DEAF], ["hmdb51/finetune"]),
}
SYNC = "model.avs_stages=[res3,res4,pool5]"
NO_SYNC = "model.avs_stages=[]"
SHORTER = "train.epochs=24"  # for 21 runs


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="sample_study", description=__doc__)
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--seeds", type=int, choices=range(1, 11), default=3, help="runs of each kind (default 3)")
    parser.add_argument("--only", default="", help="only the runs whose name holds this, and no table")
    args = parser.parse_args(argv)
    rows = STUDIES[args.study](args.seeds, args.only)
    if not args.only:
        sys.stdout.write("\n".join(rows) + "\n")
    return 0


def benchmarks(seeds: int, only: str) -> list[str]:
    """Sight alone against sight and sound: all classes, and those that only sound tells apart."""
    rows = ["| benchmark | measure | SlowFast | AVSlowFast | SlowFast, told by sound | AVSlowFast, told by sound |",
            "|---|---|---|---|---|---|"]  # fmt: skip
    for title, pair in PAIRS.items():
        found = [
            [run(benchmark_run(config, seed, *settings), config, seed, *settings, only=only) for seed in range(seeds)]
            for config, *settings in pair
        ]
        if not only:
            scores = [_spread([_main_number(one) for one in runs]) for runs in found]
            heard = [_spread([_told_by_sound(one) for one in runs]) for runs in found]
            measure = "mAP" if title == "Charades" else "top-1"
            rows.append(f"| {title} | {measure} | {' | '.join(scores + heard)} |")
    return rows


def benchmark_run(config: str, seed: int, *settings: str) -> str:
    """Its name."""
    return f"{config}{'-deaf' if DEAF in settings else ''}-{seed}"


def drop_pathway(seeds: int, only: str) -> list[str]:
    """P_d with and without the synchronisation loss."""
    rows = ["| P_d | synchronisation loss | top-1 | told by sound |", "|---|---|---|---|"]
    alone = [
        run(f"drop/sight-{seed}", "kinetics/slowfast_4x16_r50", seed, SHORTER, only=only) for seed in range(seeds)
    ]  # fmt: skip
    if not only:
        rows.append(f"| sight alone | - | {_row(alone)} |")
    for sync in (NO_SYNC, SYNC):
        for rate in (0.0, 0.5, 0.8):
            word = "no" if sync == NO_SYNC else "yes"
            runs = [
                run(f"drop/{rate}-{word}-{seed}", "kinetics/avslowfast_4x16_r50", seed, SHORTER, sync,
                    f"model.drop_pathway_rate={rate}", only=only)
                for seed in range(seeds)
            ]  # fmt: skip
            if not only:
                rows.append(f"| {rate:g} | {word} | {_row(runs)} |")
    return rows


def selfsup(seeds: int, only: str) -> list[str]:
    """A linear layer on UCF101's form, over trunks that learned without labels and over one that learned nothing.

    The mean of UCF101's three splits, in which each clip is tested once.
    """
    teachers = {
        "nothing (random trunk)": None,
        "rotation": (NO_SYNC, "data.task=rotation"),
        "synchrony": (SYNC, "data.task=none"),
        "both": (SYNC, "data.task=rotation"),
    }
    rows = ["| pre-training | linear probe, top-1 | told by sound |", "|---|---|---|"]
    for title, settings in teachers.items():
        probes = []
        for seed in range(seeds):
            name = f"selfsup/{title.split()[0]}-{seed}"
            weights = []
            if settings is not None:
                run(name, "selfsup/avslowfast_avs_rot", seed, *settings, only=only)
                weights = [f"model.weights={RUNS / name / 'checkpoints/last.pt'}"]
            probes.append([
                run(f"{name}-probe-{split}", "ucf101/linear", seed, *weights, f"data.split={split}", only=only)
                for split in range(1, NUM_SPLITS + 1)
            ])  # fmt: skip
        if not only:
            scores = [mean(_main_number(split) for split in splits) for splits in probes]
            heard = [mean(_told_by_sound(split) for split in splits) for splits in probes]
            rows.append(f"| {title} | {_spread(scores)} | {_spread(heard)} |")
    return rows


STUDIES: Mapping[str, Callable[[int, str], list[str]]] = {
    "benchmarks": benchmarks,
    "drop_pathway": drop_pathway,
    "selfsup": selfsup,
}


def run(name: str, config: str, seed: int, *settings: str, only: str) -> dict[str, Any]:
    """The run's results.json; {} for a run that `only` leaves out."""
    folder = RUNS / name
    if only not in name:
        return {}
    if not (folder / "results.json").is_file():
        argv = ["--config", f"configs/{config}.yaml", "--sample", "--output", str(folder), f"seed={seed}", *settings]
        if train_net.main(argv) != 0:
            raise SystemExit(f"{folder} was stopped; remove it or go on with it, then start the study again")
    content: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return content


def _row(runs: Sequence[dict[str, Any]]) -> str:
    return f"{_spread([_main_number(one) for one in runs])} | {_spread([_told_by_sound(one) for one in runs])}"


def _main_number(results: dict[str, Any]) -> float:
    found = results["classification"]
    return float(found["mAP"] if "mAP" in found else found["top1"] if "top1" in found else found["all"]["verb"]["top1"])


def _told_by_sound(results: dict[str, Any]) -> float:
    """The mean over the classes that look like another one and sound different."""
    found = results["classification"]
    each = found["AP"] if "AP" in found else found["accuracy"].get("verb", found["accuracy"])
    names = {*SOUND_DEFINED, *map(camel, SOUND_DEFINED), *HEARD_ACTIONS}
    return mean(value for name, value in each.items() if name in names and value is not None)


def _spread(values: Sequence[float]) -> str:
    """Mean and standard deviation in per cent."""
    if len(values) == 1:
        return f"{100 * values[0]:.1f}"
    return f"{100 * mean(values):.1f} ± {100 * stdev(values):.1f}"


if __name__ == "__main__":
    sys.exit(main())
