"""Times each phase of `ava_eval` on synthetic files of AVA's shape."""

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
from ava_eval.average_precision import class_curves
from ava_eval.matching import match_detections, true_positives
from ava_eval.selection import select

ROWS = (570_000, 1_900_000, 5_700_000)  # the last is AVA's val: 57,000 keyframes of 100 rows
CLASSES = 60
_ROWS_PER_KEYFRAME = 100
_DECIMALS = 8
_SCORES, _STEP = 10**_DECIMALS, 61_803_399  # coprime, so that no score of eight decimals repeats
_FIRST_SECOND, _SECONDS = 902, 897  # of the keyframes of a video in AVA


@dataclass
class Measurement:
    """Seconds of each phase of one evaluation. `total_s` covers reading and `evaluate`; `cpu_s` is its CPU time."""

    protocol: str
    rows: int
    read_s: float
    match_s: float
    rank_s: float
    total_s: float
    cpu_s: float
    peak_mb: float
    mean_ap: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS), help="sizes of the detection files")
    parser.add_argument("--protocols", nargs="+", choices=list(PROTOCOLS), default=list(PROTOCOLS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--decimals", type=int, default=_DECIMALS, help="of the scores; with fewer, scores tie")


def run_and_print(args: argparse.Namespace) -> None:
    columns = ("protocol", "rows", "read", "match", "rank", "total", "CPU", "peak memory", "mAP")
    table = Table(*columns, title="rows per second")
    for result in run(args.rows, args.protocols, args.seed, args.decimals):
        speeds = [f"{result.rows / seconds:,.0f}" for seconds in (result.read_s, result.match_s, result.rank_s)]
        total, peak = f"{result.rows / result.total_s:,.0f} ({result.total_s:.2f} s)", f"{result.peak_mb:,.0f} MB"
        cpu, mean_ap = f"{result.cpu_s:.2f} s", f"{100 * result.mean_ap:.2f}"
        table.add_row(result.protocol, f"{result.rows:,}", *speeds, total, cpu, peak, mean_ap)
    Console(width=max(120, Console().width)).print(table)


def run(
    rows: Sequence[int] = ROWS, protocols: Sequence[str] = tuple(PROTOCOLS), seed: int = 0, decimals: int = _DECIMALS
) -> list[Measurement]:
    """Measures every protocol on a detection file of each size."""
    results = []
    for count in rows:
        if count < 1:
            raise ValueError(f"--rows is {count}; give 1 or more")
        with tempfile.TemporaryDirectory() as folder:
            truth, detections = write_files(Path(folder), count, seed, decimals)
            results += [_measure_in_process(truth, detections, protocol) for protocol in protocols]
    return results


def _measure_in_process(truth_path: Path, detections_path: Path, protocol: str) -> Measurement:
    """Runs `measure` in a process without torch, so that the peak memory is the evaluator's alone."""
    command = [sys.executable, __file__, str(truth_path), str(detections_path), protocol]
    return Measurement(**json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def measure(truth_path: Path, detections_path: Path, protocol: str) -> Measurement:
    """Times reading and `evaluate` with its checks, then matching and ranking alone."""
    label_map = {class_ + 1: f"class {class_ + 1}" for class_ in range(CLASSES)}
    start, cpu_start = time.perf_counter(), time.process_time()
    truth, detections = read_ground_truth(truth_path), read_detections(detections_path)
    read = time.perf_counter()
    result = evaluate(truth, detections, label_map, protocol=protocol)
    evaluated, cpu_s, peak_mb = time.perf_counter(), time.process_time() - cpu_start, _peak_mb()
    del result
    selecting = time.perf_counter()
    selection = select(PROTOCOLS[protocol], label_map, truth, detections, None)
    hit = true_positives(selection, match_detections(selection), 0.5)
    matched = time.perf_counter()
    curves = class_curves(selection, hit)
    ranked = time.perf_counter()
    aps = [curve.ap for curve in curves if curve is not None]
    return Measurement(
        protocol,
        len(detections),
        read - start,
        matched - selecting,
        ranked - matched,
        evaluated - start,
        cpu_s,
        peak_mb,
        float(np.mean(aps)) if aps else 0.0,
    )


def _peak_mb() -> float:
    """Peak resident memory; NaN where the system has no /proc. (`getrusage` includes the parent's memory.)"""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), math.nan)


def write_files(folder: Path, rows: int, seed: int, decimals: int = _DECIMALS) -> tuple[Path, Path]:
    """Writes ground_truth.csv and detections.csv.

    Each keyframe has 1 to 4 persons with 1 to 3 classes each, and 100 detections.
    """
    rng = np.random.default_rng(seed)
    truth_path, detections_path = folder / "ground_truth.csv", folder / "detections.csv"
    keyframes = -(-rows // _ROWS_PER_KEYFRAME)
    with truth_path.open("w", encoding="utf-8") as truth, detections_path.open("w", encoding="utf-8") as detections:
        for keyframe in range(keyframes):
            key = f"video_{keyframe // _SECONDS:05d},{_FIRST_SECOND + keyframe % _SECONDS:04d}"
            persons = _boxes(rng, int(rng.integers(1, 5)))
            classes = rng.integers(1, CLASSES + 1, (len(persons), 3))
            truth.writelines(
                f"{key},{_box(box)},{class_},{person}\n"
                for person, (box, labels) in enumerate(zip(persons.tolist(), classes.tolist(), strict=True))
                for class_ in labels[: 1 + person % 3]
            )
            count = min(_ROWS_PER_KEYFRAME, rows - keyframe * _ROWS_PER_KEYFRAME)
            noisy = persons[rng.integers(len(persons), size=count)] + rng.normal(0, 0.03, (count, 4))
            corners = np.clip(noisy, 0, 1).reshape(count, 2, 2)
            boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
            action_ids = rng.integers(1, CLASSES + 1, count)
            scores = (keyframe * _ROWS_PER_KEYFRAME + np.arange(count)) * _STEP % _SCORES / _SCORES
            detections.writelines(
                f"{key},{_box(box)},{class_},{score:.{decimals}f}\n"
                for box, class_, score in zip(boxes.tolist(), action_ids.tolist(), scores.tolist(), strict=True)
            )
    return truth_path, detections_path


def _boxes(rng: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    size = rng.uniform(0.2, 0.6, (count, 2))
    corner = rng.uniform(0, 1 - size)
    return np.concatenate([corner, corner + size], axis=1)


def _box(box: list[float]) -> str:
    return f"{box[0]:.3f},{box[1]:.3f},{box[2]:.3f},{box[3]:.3f}"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(measure(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))))
