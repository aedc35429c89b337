"""Write an action detector as an ONNX file, and compare its scores with torch's.

Inputs: frames (clips, 3, T, H, W) uint8; boxes_px (boxes, 4) xyxy in pixels of the frames; box_clip (boxes,) int64,
each box's clip; and with sound audio (clips, 1, steps, mel bins), the normalised log-mel, has_audio (clips,) 1 or 0.
Output: scores (boxes, classes). The file's metadata say the classes and how clips are cut.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.arguments import require_output, user_errors

if TYPE_CHECKING:
    from avdet.models.action_model import ActionModel
    from avdet.settings import Config

# Clips, boxes and picture (height, width) of what is compared, each other than what the exporter saw.
TRIALS = ((1, 1, (64, 96)), (3, 5, (96, 64)), (2, 0, (64, 64)), (4, 9, (128, 80)))
MOST_APART = 1e-3


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="export_onnx.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", type=Path, required=True, help="last.pt or best.pt of a run")
    parser.add_argument("--output", type=Path, required=True, help="the .onnx file to write")
    parser.add_argument(
        "--without-sound", action="store_true", help="leave the sound out: the file takes pictures and boxes alone"
    )
    args = parser.parse_args(argv)
    with user_errors():
        require_output(args.output, (args.checkpoint,))
        _export(args)
    return 0


def _export(args: argparse.Namespace) -> None:
    import torch

    from avdet.checkpoints.checkpoint_io import load_checkpoint
    from avdet.config import parse_config
    from avdet.inference.detector import ActionDetector
    from avdet.models.action_model import ActionModel
    from avdet.models.export_onnx import OPSET, export_onnx, random_inputs, require_onnx

    require_onnx()
    config = parse_config(load_checkpoint(args.checkpoint).config)
    detector = ActionDetector.from_checkpoint(args.checkpoint, device="cpu")
    model = detector.model
    assert isinstance(model, ActionModel)
    audio = (
        (config.model.audio_frames, config.model.mel_bins)
        if config.model.uses_audio and not args.without_sound
        else None
    )
    torch.manual_seed(0)
    example = random_inputs(clips=2, boxes=3, frames=config.model.fast_frames, size_px=(80, 112), audio=audio)
    export_onnx(model, example, args.output, notes=_notes(config, detector.classes.label_map))
    size_mb = args.output.stat().st_size / 1e6
    sys.stdout.write(f"{args.output}: opset {OPSET}, {size_mb:.1f} MB, takes {', '.join(example.named())}\n")
    difference = _difference(args.output, model, config, audio)
    sys.stdout.write(f"scores of onnxruntime and torch differ by {difference:.1e} at most in {len(TRIALS)} trials\n")
    if difference > MOST_APART:
        raise ValueError(f"{args.output} gives other scores than torch ({difference:.1e} apart); do not use it")


def _difference(path: Path, model: ActionModel, config: Config, audio: tuple[int, int] | None) -> float:
    import numpy as np

    from avdet.models.export_onnx import random_inputs, run_onnx, run_torch

    apart = 0.0
    for seed, (clips, boxes, size_px) in enumerate(TRIALS):
        inputs = random_inputs(
            clips=clips, boxes=boxes, frames=config.model.fast_frames, size_px=size_px, audio=audio, seed=seed
        )
        apart = max(apart, float(np.abs(run_onnx(path, inputs) - run_torch(model, inputs)).max(initial=0.0)))
    return apart


def _notes(config: Config, label_map: dict[int, str]) -> dict[str, str]:
    """What a program needs to know to feed the file, as JSON texts."""
    clip = {
        "frames": config.model.fast_frames,
        "span_frames": config.model.span_frames,
        "nominal_fps": config.data.nominal_fps,
        "short_side_px": config.data.test_short_side,
    }
    return {"classes": json.dumps(label_map), "clip": json.dumps(clip)}
