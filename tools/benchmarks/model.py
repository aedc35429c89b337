"""Measures a model: parameters, multiply-adds, prediction, training step, memory."""

from __future__ import annotations

import argparse
import multiprocessing
import re
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch.utils.flop_counter import FlopCounterMode

from avdet.config import load_config
from avdet.engine.optim import build_sgd
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.models.drop_pathway import AudioState, no_audio
from avdet.models.ops.conv_bn_relu import fold_batch_norm
from avdet.settings import ModelConfig
from avdet.structures import ClipBatch, PersonBoxes

CLASSES = 400
LAYERS = {  # of the backbone, by part
    "Slow": r"slow\.\w+",
    "Fast": r"fast\.\w+",
    "Audio": r"audio\.\w+",
    "F->S": r"fusion\.\w+\.fast_to_slow",
    "audio fusion": r"fusion\.\w+\.(audio_lateral|attention)",
}
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Mode:
    """What is timed in a process of its own; dropped: DropPathway drops the audio pathway."""

    what: str
    precision: str
    clips: int
    size_px: int
    dropped: bool = False

    @property
    def trains(self) -> bool:
        return self.what == "training step"


@dataclass(frozen=True)
class Timing:
    """Median and minimum seconds per batch, and peak memory of the process."""

    median_s: float
    min_s: float
    peak_gb: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="default: AVSlowFast 4x16, R50")
    parser.add_argument("--runs", type=int, default=7, help="timed runs of each mode, after two warm-up runs")
    parser.add_argument("--predict-size", type=int, default=256, metavar="PX")
    parser.add_argument("--train-size", type=int, default=224, metavar="PX")
    parser.add_argument("--predict-clips", type=int, default=1, metavar="N")
    parser.add_argument("--train-clips", type=int, default=2, metavar="N")
    parser.add_argument(
        "--precisions", nargs="+", choices=list(PRECISIONS), help="default: those that this machine supports"
    )
    parser.add_argument("--compile", action="store_true", help="compile the backbone with torch.compile")


def run_and_print(args: argparse.Namespace) -> None:
    if args.runs < 1:
        raise ValueError(f"--runs is {args.runs}; give 1 or more")
    if min(args.predict_size, args.train_size) < 32 or min(args.predict_clips, args.train_clips) < 1:
        raise ValueError("a batch needs 1 or more clips of 32 or more pixels; raise --predict-* or --train-*")
    args.precisions = args.precisions or (list(PRECISIONS) if has_bfloat16() else ["fp32"])
    model = ModelConfig() if args.config is None else load_config(args.config).model
    console = Console(width=max(110, Console().width))
    console.print(_counts_table(model, args.predict_size))
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    table = Table(
        "", "clips", "px", "median s", "min s", "clips/s", "TFLOP/s", "of peak FLOP/s", "peak GB",
        title=f"{device}, torch {torch.__version__}",
        caption="peak FLOP/s: of a large matrix product in the same precision",
    )  # fmt: skip
    peaks = {precision: product_tflops(PRECISIONS[precision]) for precision in args.precisions}
    for mode in _modes(args, uses_audio=model.uses_audio):
        timing = measure(model, mode, runs=args.runs, compiled=args.compile)
        name = f"{mode.what}, {mode.precision}" + (", audio dropped" if mode.dropped else "")
        tflops = operations(model, mode) / timing.median_s / 1e12
        table.add_row(
            name, str(mode.clips), str(mode.size_px), f"{timing.median_s:.3f}", f"{timing.min_s:.3f}",
            f"{mode.clips / timing.median_s:.2f}", f"{tflops:.2f}", f"{tflops / peaks[mode.precision]:.0%}",
            f"{timing.peak_gb:.2f}",
        )  # fmt: skip
    console.print(table)


def _modes(args: argparse.Namespace, *, uses_audio: bool) -> list[Mode]:
    modes = [Mode("prediction", precision, args.predict_clips, args.predict_size) for precision in args.precisions]
    for dropped in (False, True)[: 1 + uses_audio]:
        modes += [
            Mode("training step", precision, args.train_clips, args.train_size, dropped)
            for precision in args.precisions
        ]
    return modes


def _counts_table(model: ModelConfig, size_px: int) -> Table:
    table = Table("part", "parameters, M", "multiply-adds, G", title=f"1 clip of {size_px} x {size_px} pixels")
    total = (0.0, 0.0)
    for part, counts in count(model, size_px).items():
        table.add_row(part, *(f"{value:.2f}" for value in counts))
        total = (total[0] + counts[0], total[1] + counts[1])
    table.add_row("total", *(f"{value:.2f}" for value in total))
    return table


def count(model: ModelConfig, size_px: int) -> dict[str, tuple[float, float]]:
    """Returns (1e6 parameters, 1e9 multiply-adds of convolutions and linear layers) of each part of the model.

    Excludes the AVS loss, which prediction does not compute.
    """
    model = model.model_copy(update={"avs_stages": ()})
    with torch.device("meta"):
        network = build_model(model, num_classes=CLASSES, head="clip", crop_px=size_px).eval()
        frames = torch.zeros(1, 3, model.clip_frames, size_px, size_px)
        audio = torch.zeros(1, 1, model.audio_frames, model.mel_bins)
        clip_of_audio = torch.zeros(1, dtype=torch.long)
        audio_state = AudioState(audio, clip_of_audio) if model.uses_audio else no_audio(frames.device)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network.head(network.backbone(frames, audio_state), 1)
    billions = {name.partition(".")[2]: sum(ops.values()) / 2e9 for name, ops in counter.get_flop_counts().items()}
    counts = {}
    for part, layers in LAYERS.items():
        names = [name for name in billions if re.fullmatch(layers, name)]
        millions = [
            p.numel() / 1e6 for name, p in network.backbone.named_parameters() if re.match(layers + r"\.", name)
        ]
        counts[part] = (sum(millions), sum(billions[name] for name in names))
    total = (sum(p.numel() for p in network.parameters()) / 1e6, counter.get_total_flops() / 2e9)
    backbone_millions, backbone_billions = (sum(column) for column in zip(*counts.values(), strict=True))
    return {**counts, "head": (total[0] - backbone_millions, total[1] - backbone_billions)}


def operations(model: ModelConfig, mode: Mode) -> float:
    """Floating-point operations of one run: 2 per multiply-add, and 3 times as many in a training step."""
    dropped = ("Audio", "audio fusion") if mode.dropped else ()
    counts = count(model, mode.size_px)
    billions = sum(multiply_adds for part, (_, multiply_adds) in counts.items() if part not in dropped)
    return 2e9 * billions * mode.clips * (3 if mode.trains else 1)


def product_tflops(dtype: torch.dtype, runs: int = 10) -> float:
    """Peak TFLOP/s of this machine: the fastest of some large square matrix products."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32  # the same rule as for convolutions
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    side = 8192 if device.type == "cuda" else 2048
    a, b = torch.randn(2, side, side, device=device, dtype=dtype)
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        a @ b
        _synchronize(device)
        seconds.append(time.perf_counter() - started)
    return 2 * side**3 / min(seconds) / 1e12


def measure(model: ModelConfig, mode: Mode, *, runs: int, compiled: bool = False) -> Timing:
    """Times a mode in a fresh process, so that the peak memory is of this mode alone."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_time, model, mode, runs, compiled, torch.get_num_threads()).result()


def _time(model: ModelConfig, mode: Mode, runs: int, compiled: bool, threads: int) -> Timing:
    torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run = prepare(model, mode, device, compiled=compiled)
    seconds = []
    for _ in range(2 + runs):
        started = time.perf_counter()
        run()
        _synchronize(device)
        seconds.append(time.perf_counter() - started)
    return Timing(statistics.median(seconds[2:]), min(seconds[2:]), peak_gb(device))


def prepare(model: ModelConfig, mode: Mode, device: torch.device, *, compiled: bool = False) -> Callable[[], None]:
    """Returns a function that runs one prediction or training step of a new model on noise, without the AVS loss."""
    model = model.model_copy(update={"drop_pathway_rate": float(mode.dropped), "avs_stages": ()})
    network = build_model(model, num_classes=CLASSES, head="clip", crop_px=mode.size_px).to(device)
    batch = random_batch(model, mode.clips, mode.size_px).to(device)
    run = _training_step(network, batch, compiled) if mode.trains else _prediction(network, batch, mode, compiled)

    def once() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=mode.precision == "bf16"):
            run()

    return once


def _prediction(network: ActionModel, batch: ClipBatch, mode: Mode, compiled: bool) -> Callable[[], object]:
    frozen = fold_batch_norm(network, PRECISIONS[mode.precision])
    if compiled:
        frozen.backbone.compile()
    return lambda: frozen.predict(batch)


def _training_step(network: ActionModel, batch: ClipBatch, compiled: bool) -> Callable[[], object]:
    optimizer = build_sgd(network, momentum=0.9, nesterov=True, weight_decay=1e-4, bn_weight_decay=0.0)
    if compiled:
        network.backbone.compile()

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(network(batch).values())).sum().backward()
        optimizer.step()

    return step


def random_batch(model: ModelConfig, clips: int, size_px: int) -> ClipBatch:
    """Noise, with audio and a class for every clip."""
    no_persons = PersonBoxes.from_boxes(torch.zeros(0, 4))
    return ClipBatch(
        frames=torch.randint(0, 256, (clips, 3, model.clip_frames, size_px, size_px), dtype=torch.uint8),
        audio=torch.randn(clips, 1, model.audio_frames, model.mel_bins),
        has_audio=torch.ones(clips, dtype=torch.bool),
        boxes_px=torch.zeros(0, 4),
        box_clip=torch.zeros(0, dtype=torch.long),
        labels={"action": torch.arange(clips) % CLASSES},
        clips=(("noise", 0.0),) * clips,
        people=(no_persons,) * clips,
    )


def has_bfloat16() -> bool:
    """Processors without AVX-512 emulate bfloat16 and take 6 to 8 times as long as in float32."""
    return torch.cuda.is_available() or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def peak_gb(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 1e9
    import resource  # absent on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
