"""Counts and times a recipe's network: parameters, multiply-adds, prediction, a training step, memory."""

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
from avdet.models.inference import for_inference
from avdet.settings import ModelConfig
from avdet.structures import ClipBatch, PersonBoxes

CLASSES = 400
LAYERS = {  # the backbone's, by part
    "Slow": r"slow\.\w+",
    "Fast": r"fast\.\w+",
    "Audio": r"audio\.\w+",
    "F->S": r"join\.\w+\.fast_to_slow",
    "sound's fusion": r"join\.\w+\.(to_time|gather)",
}
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Mode:
    """One thing to time, in a process of its own. dropped: as an iteration that DropPathway drops."""

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
    """Median and least seconds of a run over the batch, and the most memory the process held meanwhile."""

    median_s: float
    least_s: float
    peak_gb: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="a recipe; AVSlowFast 4x16, R50, where there is none")
    parser.add_argument("--runs", type=int, default=7, help="timed runs of each mode, after two that are not")
    parser.add_argument("--predict-size", type=int, default=256, metavar="PX")
    parser.add_argument("--train-size", type=int, default=224, metavar="PX")
    parser.add_argument("--predict-clips", type=int, default=1, metavar="N")
    parser.add_argument("--train-clips", type=int, default=2, metavar="N")
    parser.add_argument(
        "--precisions", nargs="+", choices=list(PRECISIONS), help="those that the machine has instructions for"
    )
    parser.add_argument("--compile", action="store_true", help="time what torch.compile makes of the backbone")


def run_and_print(args: argparse.Namespace) -> None:
    if args.runs < 1:
        raise ValueError(f"--runs {args.runs} leaves nothing to measure; give 1 or more")
    if min(args.predict_size, args.train_size) < 32 or min(args.predict_clips, args.train_clips) < 1:
        raise ValueError("a net sees 1 clip or more of 32 pixels or more; raise --predict-* or --train-*")
    args.precisions = args.precisions or (list(PRECISIONS) if has_bfloat16() else ["fp32"])
    model = ModelConfig() if args.config is None else load_config(args.config).model
    console = Console(width=max(110, Console().width))
    console.print(_sizes(model, args.predict_size))
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    table = Table(
        "", "clips", "px", "median s", "least s", "clips/s", "TFLOP/s", "of peak", "peak GB",
        title=f"{device}, torch {torch.__version__}", caption="of peak: of a large matrix product in that precision",
    )  # fmt: skip
    peaks = {precision: product_tflops(PRECISIONS[precision]) for precision in args.precisions}
    for mode in _modes(args, uses_audio=model.uses_audio):
        timing = measure(model, mode, runs=args.runs, compiled=args.compile)
        name = f"{mode.what}, {mode.precision}" + (", sound dropped" if mode.dropped else "")
        tflops = operations(model, mode) / timing.median_s / 1e12
        table.add_row(
            name, str(mode.clips), str(mode.size_px), f"{timing.median_s:.3f}", f"{timing.least_s:.3f}",
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


def _sizes(model: ModelConfig, size_px: int) -> Table:
    table = Table("part", "parameters, M", "multiply-adds, G", title=f"one clip of {size_px} x {size_px}")
    total = (0.0, 0.0)
    for part, counts in count(model, size_px).items():
        table.add_row(part, *(f"{value:.2f}" for value in counts))
        total = (total[0] + counts[0], total[1] + counts[1])
    table.add_row("all", *(f"{value:.2f}" for value in total))
    return table


def count(model: ModelConfig, size_px: int) -> dict[str, tuple[float, float]]:
    """Millions of parameters and 1e9 multiply-adds of convolutions and linear layers, by part of the network.

    The synchronisation loss is left out: prediction does not need it.
    """
    model = model.model_copy(update={"avs_stages": ()})
    with torch.device("meta"):
        network = build_model(model, num_classes=CLASSES, head="clip", crop_px=size_px).eval()
        frames = torch.zeros(1, 3, model.fast_frames, size_px, size_px)
        audio = torch.zeros(1, 1, model.audio_frames, model.mel_bins)
        sound = AudioState(audio, torch.zeros(1, dtype=torch.long)) if model.uses_audio else no_audio(frames.device)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network.head(network.backbone(frames, sound), 1)
    done = {name.partition(".")[2]: sum(ops.values()) / 2e9 for name, ops in counter.get_flop_counts().items()}
    counts = {}
    for part, layers in LAYERS.items():
        own = [name for name in done if re.fullmatch(layers, name)]
        held = [p.numel() / 1e6 for name, p in network.backbone.named_parameters() if re.match(layers + r"\.", name)]
        counts[part] = (sum(held), sum(done[name] for name in own))
    parameters = sum(p.numel() for p in network.parameters()) / 1e6
    rest = (parameters - sum(held for held, _ in counts.values()), counter.get_total_flops() / 2e9)
    return {**counts, "head": (rest[0], rest[1] - sum(billions for _, billions in counts.values()))}


def operations(model: ModelConfig, mode: Mode) -> float:
    """Floating-point operations of one run: two a multiply-add, and three times as many where gradients are taken."""
    unheard = ("Audio", "sound's fusion") if mode.dropped else ()
    billions = sum(done for part, (_, done) in count(model, mode.size_px).items() if part not in unheard)
    return 2e9 * billions * mode.clips * (3 if mode.trains else 1)


def product_tflops(dtype: torch.dtype, runs: int = 10) -> float:
    """What this machine reaches where nothing but multiply-adds counts: the fastest of some square matrix products."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32  # as convolutions are done
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    side = 8192 if device.type == "cuda" else 2048
    a, b = torch.randn(2, side, side, device=device, dtype=dtype)
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        a @ b
        _wait_for(device)
        seconds.append(time.perf_counter() - started)
    return 2 * side**3 / min(seconds) / 1e12


def measure(model: ModelConfig, mode: Mode, *, runs: int, compiled: bool = False) -> Timing:
    """In a fresh process, so that the memory is this mode's alone."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
        return fresh.submit(_time, model, mode, runs, compiled, torch.get_num_threads()).result()


def _time(model: ModelConfig, mode: Mode, runs: int, compiled: bool, threads: int) -> Timing:
    torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run = prepare(model, mode, device, compiled=compiled)
    seconds = []
    for _ in range(2 + runs):
        started = time.perf_counter()
        run()
        _wait_for(device)
        seconds.append(time.perf_counter() - started)
    return Timing(statistics.median(seconds[2:]), min(seconds[2:]), peak_gb(device))


def prepare(model: ModelConfig, mode: Mode, device: torch.device, *, compiled: bool = False) -> Callable[[], None]:
    """What is timed: a prediction or a training step of a fresh network on noise, without synchronisation loss."""
    settings = model.model_copy(update={"drop_pathway_rate": float(mode.dropped), "avs_stages": ()})
    network = build_model(settings, num_classes=CLASSES, head="clip", crop_px=mode.size_px).to(device)
    batch = random_batch(model, mode.clips, mode.size_px).to(device)
    run = _training_step(network, batch, compiled) if mode.trains else _prediction(network, batch, mode, compiled)

    def once() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=mode.precision == "bf16"):
            run()

    return once


def _prediction(network: ActionModel, batch: ClipBatch, mode: Mode, compiled: bool) -> Callable[[], object]:
    frozen = for_inference(network, PRECISIONS[mode.precision])
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
    """Noise, with sound and a class for every clip."""
    nobody = PersonBoxes.from_boxes(torch.zeros(0, 4))
    return ClipBatch(
        frames=torch.randint(0, 256, (clips, 3, model.fast_frames, size_px, size_px), dtype=torch.uint8),
        audio=torch.randn(clips, 1, model.audio_frames, model.mel_bins),
        has_audio=torch.ones(clips, dtype=torch.bool),
        boxes_px=torch.zeros(0, 4),
        box_clip=torch.zeros(0, dtype=torch.long),
        labels={"action": torch.arange(clips) % CLASSES},
        clips=(("noise", 0.0),) * clips,
        people=(nobody,) * clips,
    )


def has_bfloat16() -> bool:
    """Processors without AVX-512 emulate it and take 6 to 8 times as long as in float32."""
    return torch.cuda.is_available() or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def peak_gb(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 1e9
    import resource  # not on every system

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
