"""Times `ava_eval` by phase on seeded synthetic files of AVA's shape."""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from ava_eval import PROTOCOLS, evaluate, read_detections, read_ground_truth
from ava_eval.evaluate import class_curves
from ava_eval.matching import nearest_truth, true_positives
from ava_eval.selection import select

ROWS = (570_000, 1_900_000, 5_700_000)  # the last is AVA's val: 57,000 keyframes of 100 rows
CLASSES = 60
_ROWS_A_KEYFRAME = 100
_SCORES, _STEP = 10**8, 61_803_399  # scores of eight decimals in steps without common divisor: none comes twice
_FIRST_SECOND, _SECONDS = 902, 897  # AVA's keyframes of a video


@dataclass
class Measurement:
    """Seconds of each phase of one evaluation; `whole_s` is reading and `evaluate`, `cpu_s` what a core spent on it."""

    protocol: str
    rows: int
    read_s: float
    match_s: float
    rank_s: float
    whole_s: float
    cpu_s: float
    peak_mb: float
    mean_ap: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS), help="sizes of the detection files")
    parser.add_argument("--protocols", nargs="+", choices=list(PROTOCOLS), default=list(PROTOCOLS))
    parser.add_argument("--seed", type=int, default=0)


def run_and_print(args: argparse.Namespace) -> None:
    heads = ("protocol", "rows", "read", "match", "rank", "whole", "CPU", "peak memory", "mAP")
    table = Table(*heads, title="rows a second")
    for one in run(args.rows, args.protocols, args.seed):
        speeds = [f"{one.rows / seconds:,.0f}" for seconds in (one.read_s, one.match_s, one.rank_s)]
        whole, peak = f"{one.rows / one.whole_s:,.0f} ({one.whole_s:.2f} s)", f"{one.peak_mb:,.0f} MB"
        table.add_row(
            one.protocol, f"{one.rows:,}", *speeds, whole, f"{one.cpu_s:.2f} s", peak, f"{100 * one.mean_ap:.2f}"
        )
    Console(width=max(120, Console().width)).print(table)


def run(rows: Sequence[int] = ROWS, protocols: Sequence[str] = tuple(PROTOCOLS), seed: int = 0) -> list[Measurement]:
    """Measure every protocol on a file of each size; the files go to a temporary folder and are deleted."""
    measured = []
    for count in rows:
        if count < 1:
            raise ValueError(f"--rows {count} leaves nothing to measure; give 1 or more.")
        with tempfile.TemporaryDirectory() as folder:
            truth, detections = write_files(Path(folder), count, seed)
            measured += [_measured_apart(truth, detections, protocol) for protocol in protocols]
    return measured


def _measured_apart(truth_path: Path, detections_path: Path, protocol: str) -> Measurement:
    """In a process that imports no torch, so that the memory is the evaluator's."""
    command = [sys.executable, "-m", "avdet.cli.benchmark_evaluator", str(truth_path), str(detections_path), protocol]
    return Measurement(**json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def measure(truth_path: Path, detections_path: Path, protocol: str) -> Measurement:
    """Phases one by one, and then what a user waits for: reading, and `evaluate` with its checks and notes."""
    label_map = {class_ + 1: f"class {class_ + 1}" for class_ in range(CLASSES)}
    started, cpu_before = time.perf_counter(), time.process_time()
    truth, detections = read_ground_truth(truth_path), read_detections(detections_path)
    has_read = time.perf_counter()
    result = evaluate(truth, detections, label_map, protocol=protocol)
    evaluated, cpu_s, peak_mb = time.perf_counter(), time.process_time() - cpu_before, _peak_mb()
    del result
    again = time.perf_counter()
    selection = select(PROTOCOLS[protocol], label_map, truth, detections, None)
    hit = true_positives(selection, nearest_truth(selection), 0.5)
    matched = time.perf_counter()
    curves = class_curves(selection, hit)
    ranked = time.perf_counter()
    aps = [curve.ap for curve in curves if curve is not None]
    return Measurement(
        protocol,
        len(detections),
        has_read - started,
        matched - again,
        ranked - matched,
        evaluated - started,
        cpu_s,
        peak_mb,
        float(np.mean(aps)) if aps else 0.0,
    )


def _peak_mb() -> float:
    """Most memory held so far; nan where the system has no /proc. (`getrusage` counts the parent's memory too.)"""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), math.nan)


def write_files(folder: Path, rows: int, seed: int) -> tuple[Path, Path]:
    """ground_truth.csv and detections.csv: 1 to 4 persons a keyframe, each of 1 to 3 classes, and 100 detections."""
    random = np.random.default_rng(seed)
    truth_path, detections_path = folder / "ground_truth.csv", folder / "detections.csv"
    keyframes = -(-rows // _ROWS_A_KEYFRAME)
    with truth_path.open("w", encoding="utf-8") as truth, detections_path.open("w", encoding="utf-8") as detections:
        for place in range(keyframes):
            where = f"video_{place // _SECONDS:05d},{_FIRST_SECOND + place % _SECONDS:04d}"
            persons = _boxes(random, int(random.integers(1, 5)))
            classes = random.integers(1, CLASSES + 1, (len(persons), 3))
            truth.writelines(
                f"{where},{_box(box)},{class_},{person}\n"
                for person, (box, labels) in enumerate(zip(persons.tolist(), classes.tolist(), strict=True))
                for class_ in labels[: 1 + person % 3]
            )
            count = min(_ROWS_A_KEYFRAME, rows - place * _ROWS_A_KEYFRAME)
            found = np.clip(
                persons[random.integers(len(persons), size=count)] + random.normal(0, 0.03, (count, 4)), 0, 1
            )
            found = np.concatenate([np.minimum(found[:, :2], found[:, 2:]), np.maximum(found[:, :2], found[:, 2:])], 1)
            named = random.integers(1, CLASSES + 1, count)
            scores = (place * _ROWS_A_KEYFRAME + np.arange(count)) * _STEP % _SCORES / _SCORES
            detections.writelines(
                f"{where},{_box(box)},{class_},{score:.8f}\n"
                for box, class_, score in zip(found.tolist(), named.tolist(), scores.tolist(), strict=True)
            )
    return truth_path, detections_path


def _boxes(random: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    size = random.uniform(0.2, 0.6, (count, 2))
    corner = random.uniform(0, 1 - size)
    return np.concatenate([corner, corner + size], axis=1)


def _box(box: list[float]) -> str:
    return f"{box[0]:.3f},{box[1]:.3f},{box[2]:.3f},{box[3]:.3f}"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(measure(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))))
