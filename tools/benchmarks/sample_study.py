"""Train and evaluate the sample runs of a table in docs/, and print the table.

Finished runs are not repeated, so the same command resumes a study that was stopped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from avdet.cli import train_net
from avdet.cli.arguments import ToolParser
from avdet.synthetic.benchmark_files import AUDIO_DEPENDENT_CLASSES, NUM_SPLITS, camel_case

RUNS = Path("runs/study")
AUDIO_DEPENDENT_ACTIONS = ("hand clap", "eat", "listen (e.g., to music)", "play musical instrument",
                 "talk to (e.g., self, a person, a group)")  # fmt: skip
VIDEO_ONLY = "model.audio=false"
PAIRS = {  # config and settings of the video-only and of the audiovisual model
    "Kinetics": (["kinetics/slowfast_4x16_r50"], ["kinetics/avslowfast_4x16_r50"]),
    "Kinetics-Sounds": (["kinetics_sounds/slowfast_r50"], ["kinetics_sounds/avslowfast_r50"]),
    "EPIC verbs": (["epic/slowfast_verb"], ["epic/avslowfast_verb"]),
    "Charades": (["charades/slowfast"], ["charades/avslowfast"]),
    "UCF101": (["ucf101/finetune", VIDEO_ONLY], ["ucf101/finetune"]),
    "HMDB51": (["hmdb51/finetune", VIDEO_ONLY], ["hmdb51/finetune"]),
}
AVS = "model.avs_stages=[res3,res4,pool5]"
NO_AVS = "model.avs_stages=[]"
SHORTER = "train.epochs=24"  # for 21 runs


def main(argv: Sequence[str] | None = None) -> int:
    parser = ToolParser("sample_study.py", __doc__)
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--seeds", type=int, choices=range(1, 11), default=3, help="runs per row (default 3)")
    parser.add_argument("--only", default="", help="run only those whose name contains this text; print no table")
    args = parser.parse(argv)
    rows = STUDIES[args.study](args.seeds, args.only)
    if not args.only:
        sys.stdout.write("\n".join(rows) + "\n")
    return 0


def benchmarks(seeds: int, only: str) -> list[str]:
    """Compares video-only with audiovisual models, over all and over the audio-dependent classes."""
    rows = ["| benchmark | measure | SlowFast | AVSlowFast | SlowFast, audio-dependent | AVSlowFast, audio-dependent |",
            "|---|---|---|---|---|---|"]  # fmt: skip
    for title, pair in PAIRS.items():
        runs_of = [
            [run(run_name(config, seed, *settings), config, seed, *settings, only=only) for seed in range(seeds)]
            for config, *settings in pair
        ]
        if not only:
            scores = [_spread([_primary_metric(results) for results in runs]) for runs in runs_of]
            audio_dependent = [_spread([_audio_dependent(results) for results in runs]) for runs in runs_of]
            measure = "mAP" if title == "Charades" else "top-1"
            rows.append(f"| {title} | {measure} | {' | '.join(scores + audio_dependent)} |")
    return rows


def run_name(config: str, seed: int, *settings: str) -> str:
    return f"{config}{'-video-only' if VIDEO_ONLY in settings else ''}-{seed}"


def drop_pathway(seeds: int, only: str) -> list[str]:
    """Varies DropPathway's P_d, with and without the AVS loss."""
    rows = ["| P_d | AVS loss | top-1 | audio-dependent |", "|---|---|---|---|"]
    video_only = [
        run(f"drop/video-only-{seed}", "kinetics/slowfast_4x16_r50", seed, SHORTER, only=only) for seed in range(seeds)
    ]  # fmt: skip
    if not only:
        rows.append(f"| video only | - | {_row(video_only)} |")
    for avs in (NO_AVS, AVS):
        for rate in (0.0, 0.5, 0.8):
            with_avs = "no" if avs == NO_AVS else "yes"
            runs = [
                run(f"drop/{rate}-{with_avs}-{seed}", "kinetics/avslowfast_4x16_r50", seed, SHORTER, avs,
                    f"model.drop_pathway_rate={rate}", only=only)
                for seed in range(seeds)
            ]  # fmt: skip
            if not only:
                rows.append(f"| {rate:g} | {with_avs} | {_row(runs)} |")
    return rows


def selfsup(seeds: int, only: str) -> list[str]:
    """Trains linear probes on backbones with each self-supervised pre-training and with random weights.

    Reports the mean of UCF101's three splits, which test each clip once.
    """
    tasks = {
        "none (random weights)": None,
        "rotation": (NO_AVS, "data.task=rotation"),
        "AVS": (AVS, "data.task=none"),
        "both": (AVS, "data.task=rotation"),
    }
    rows = ["| pre-training | linear probe, top-1 | audio-dependent |", "|---|---|---|"]
    for title, settings in tasks.items():
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
            scores = [mean(_primary_metric(split) for split in splits) for splits in probes]
            audio_dependent = [mean(_audio_dependent(split) for split in splits) for splits in probes]
            rows.append(f"| {title} | {_spread(scores)} | {_spread(audio_dependent)} |")
    return rows


STUDIES: Mapping[str, Callable[[int, str], list[str]]] = {
    "benchmarks": benchmarks,
    "drop_pathway": drop_pathway,
    "selfsup": selfsup,
}


def run(name: str, config: str, seed: int, *settings: str, only: str) -> dict[str, Any]:
    """Returns results.json of the run, which is trained unless it exists; {} if `only` excludes the run."""
    folder = RUNS / name
    if only not in name:
        return {}
    if not (folder / "results.json").is_file():
        argv = ["--config", f"configs/{config}.yaml", "--sample", "--output", str(folder), f"seed={seed}", *settings]
        if train_net.main(argv) != 0:
            raise SystemExit(f"{folder} was stopped; remove or resume it, then start the study again")
    content: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return content


def _row(runs: Sequence[dict[str, Any]]) -> str:
    return f"{_spread([_primary_metric(one) for one in runs])} | {_spread([_audio_dependent(one) for one in runs])}"


def _primary_metric(results: dict[str, Any]) -> float:
    metrics = results["classification"]
    if "mAP" in metrics:
        return float(metrics["mAP"])
    return float(metrics["top1"] if "top1" in metrics else metrics["all"]["verb"]["top1"])


def _audio_dependent(results: dict[str, Any]) -> float:
    """Mean over the classes that differ from a visually identical class by their audio alone."""
    metrics = results["classification"]
    of_class = metrics["AP"] if "AP" in metrics else metrics["accuracy"].get("verb", metrics["accuracy"])
    names = {*AUDIO_DEPENDENT_CLASSES, *map(camel_case, AUDIO_DEPENDENT_CLASSES), *AUDIO_DEPENDENT_ACTIONS}
    return mean(value for name, value in of_class.items() if name in names and value is not None)


def _spread(values: Sequence[float]) -> str:
    """Mean and standard deviation, in per cent."""
    if len(values) == 1:
        return f"{100 * values[0]:.1f}"
    return f"{100 * mean(values):.1f} ± {100 * stdev(values):.1f}"


if __name__ == "__main__":
    sys.exit(main())
