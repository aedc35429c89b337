"""The command line for ground truth in `gttubes` pickles: reads, scores and formats the result."""

from __future__ import annotations

import argparse

from ava_eval.csv_format import FormatError
from ava_eval.gttubes import TubeTruth, is_pickle, read_gttubes
from ava_eval.label_map import read_label_map
from ava_eval.result import percent
from ava_eval.tube_benchmarks import Average, BenchmarkResult, evaluate_benchmark
from ava_eval.tube_files import Found, read_folder, read_pickle
from ava_eval.tube_protocols import TUBE_PROTOCOLS, default_protocol
from ava_eval.tube_tables import read_csvs

_FOR_CSV_ONLY = ("compare", "excluded", "tubes", "breakdown", "report")


def is_benchmark(options: argparse.Namespace) -> bool:
    """Whether the ground truth is a pickle. Raises ValueError for an option that its kind of file does not have."""
    if not is_pickle(options.ground_truth[0]):
        for name in ("split", "fps"):
            if getattr(options, name) is not None:
                raise ValueError(f"--{name} is for ground truth in a gttubes pickle; leave it out for CSV files.")
        if options.label_map is None:
            raise ValueError("--label-map is missing; give AVA's pbtxt, or a list of class names.")
        if options.protocol in TUBE_PROTOCOLS:
            raise ValueError(f"--protocol {options.protocol} is for ground truth in a gttubes pickle; choose another.")
        return False
    for name in _FOR_CSV_ONLY:
        if getattr(options, name):
            raise ValueError(f"--{name} is for ground truth in CSV files; leave it out for a gttubes pickle.")
    if len(options.ground_truth) > 1:
        raise ValueError(f"--ground-truth names {len(options.ground_truth)} files; give one gttubes pickle.")
    if options.protocol is not None and options.protocol not in TUBE_PROTOCOLS:
        choices = " or ".join(TUBE_PROTOCOLS)
        raise ValueError(f"--protocol {options.protocol} is for ground truth in CSV files; choose {choices}.")
    return True


def score_benchmark(options: argparse.Namespace) -> BenchmarkResult:
    """The result of `--detections` against one split of the ground truth."""
    truth = read_gttubes(options.ground_truth[0], options.split)
    found = _read(options, truth)
    protocol = options.protocol or default_protocol(truth.labels)
    result = evaluate_benchmark(truth, found.frames, found.tubes, protocol=protocol, iou=options.iou, ties=options.ties)
    result.notes = [*found.notes, *result.notes]
    return result


def _read(options: argparse.Namespace, truth: TubeTruth) -> Found:
    found, csvs = Found(), []
    for path in options.detections:
        if not (path.is_dir() or is_pickle(path)):
            csvs.append(path)
            continue
        part = read_folder(path, truth) if path.is_dir() else read_pickle(path, truth)
        if (found.frames and part.frames) or (found.tubes and part.tubes):
            raise FormatError(f"{path} holds a second set of detections of one kind; give one of each.")
        found = Found(part.frames or found.frames, part.tubes or found.tubes, [*found.notes, *part.notes])
    if not csvs:
        return found
    if found.frames or found.tubes:
        raise FormatError(f"{csvs[0]} is a CSV beside pickles of detections; give one or the other.")
    label_map = read_label_map(options.label_map) if options.label_map else None
    return read_csvs(csvs, truth, options.fps, label_map)


def benchmark_text(result: BenchmarkResult) -> str:
    """AP by class, one column for frame mAP and one per IoU for video mAP, and the counts."""
    columns: dict[str, Average] = {f"frame {result.iou:g}": result.frame} if result.frame else {}
    columns |= {f"video {iou}": average for iou, average in result.video.items()}
    labels = [*next(iter(columns.values())).ap, "mean"]
    width = max(map(len, ("class", *labels)))
    lines = [f"{'class':<{width}}" + "".join(f"  {name:>14}" for name in columns)]
    for label in labels:
        values = (average.mean_ap if label == "mean" else average.ap[label] for average in columns.values())
        lines.append(f"{label:<{width}}" + "".join(f"  {percent(value):>14}" for value in values))
    counts, rules = result.counts, TUBE_PROTOCOLS[result.protocol]
    lines += ["", f"protocol: {rules.name}, as {rules.source}; ties {result.ties}", f"videos: {counts['videos']:,}"]
    if result.frame:
        lines.append(f"frames: {counts['ground_truth_boxes']:,} boxes, {counts['detections']:,} detections")
    if result.video:
        dropped = counts["dropped_overlapping_tubes"]
        lines.append(
            f"tubes: {counts['ground_truth_tubes']:,} in the ground truth, {counts['detection_tubes']:,} detected"
            + (f"; dropped: {dropped:,} that overlap a better one" if dropped else "")
        )
    return "\n".join([*lines, *(f"note: {note}" for note in result.notes)])
