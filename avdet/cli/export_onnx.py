"""Export an action detector or a classifier to ONNX, and compare its scores with PyTorch's.

Inputs: frames (clips, 3, T, H, W) uint8; of a detector boxes_px (boxes, 4) xyxy in pixels of the frames, and box_clip
(boxes,) int64, the index of each box's clip; with audio also audio (clips, 1, steps, mel bins), the normalised log-mel,
and has_audio (clips,), 1 or 0. A detector takes frames of any size, a classifier square ones of data.test_short_side.
Output: scores (boxes, classes) or (clips, classes); of several class sets one for each, such as scores_verb. The file's
metadata hold the classes and the length of a clip.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.arguments import ToolParser, require_output, user_errors

if TYPE_CHECKING:
    from avdet.config import Config
    from avdet.datasets.class_names import ClassNames
    from avdet.models.action_model import ActionModel

# Clips, boxes and frame size (height, width) of the comparisons; all differ from the exporter's example.
Trial = tuple[int, int | None, tuple[int, int]]
TRIALS: tuple[Trial, ...] = ((1, 1, (64, 96)), (3, 5, (96, 64)), (2, 0, (64, 64)), (4, 9, (128, 80)))
MAX_DIFFERENCE = 1e-3


def main(argv: list[str] | None = None) -> int:
    parser = ToolParser("export_onnx.py", __doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="best.pt of a run, or a public checkpoint")
    parser.add_argument("--output", type=Path, required=True, help="the .onnx file to write")
    parser.add_argument("--without-audio", action="store_true", help="export a video-only model of frames and boxes")
    args = parser.parse(argv)
    with user_errors():
        require_output(args.output, (args.checkpoint,))
        _export(args)
    return 0


def _export(args: argparse.Namespace) -> None:
    import torch

    from avdet.inference.load_network import load_network
    from avdet.models.export_onnx import OPSET, export_onnx, random_inputs, require_onnx

    require_onnx()
    network = load_network(args.checkpoint, device="cpu", precision="float32")
    if not network.classes:
        raise ValueError(f"{args.checkpoint} was trained with data.task=none and has no scores to export; fine-tune it")
    config, model = network.config, network.model
    is_detector = network.task == "detection"
    side_px = config.data.test_short_side
    audio = (
        (config.model.audio_frames, config.model.mel_bins)
        if config.model.uses_audio and not args.without_audio
        else None
    )
    torch.manual_seed(0)
    boxes, size_px = (3, (80, 112)) if is_detector else (None, (side_px, side_px))
    example = random_inputs(clips=2, boxes=boxes, frames=config.model.clip_frames, size_px=size_px, audio=audio)
    export_onnx(model, example, args.output, notes=_metadata(config, network.classes))
    size_mb = args.output.stat().st_size / 1e6
    sys.stdout.write(f"{args.output}: opset {OPSET}, {size_mb:.1f} MB, inputs: {', '.join(example.named())}\n")
    trials = TRIALS if is_detector else [(clips, None, size_px) for clips in (1, 3)]
    difference = _difference(args.output, model, config, audio, trials)
    sys.stdout.write(f"scores of ONNX Runtime and PyTorch differ by at most {difference:.1e} in {len(trials)} trials\n")
    if difference > MAX_DIFFERENCE:
        raise ValueError(
            f"scores of {args.output} differ from PyTorch's by more than {MAX_DIFFERENCE:g}; do not use the file"
        )


def _difference(
    path: Path, model: ActionModel, config: Config, audio: tuple[int, int] | None, trials: Sequence[Trial]
) -> float:
    """Returns the largest absolute difference of the scores over all trials."""
    import numpy as np

    from avdet.models.export_onnx import random_inputs, run_onnx, run_torch

    largest = 0.0
    for seed, (clips, boxes, size_px) in enumerate(trials):
        inputs = random_inputs(
            clips=clips, boxes=boxes, frames=config.model.clip_frames, size_px=size_px, audio=audio, seed=seed
        )
        largest = max(largest, float(np.abs(run_onnx(path, inputs) - run_torch(model, inputs)).max(initial=0.0)))
    return largest


def _metadata(config: Config, classes: Mapping[str, ClassNames]) -> dict[str, str]:
    """The classes by id, of several class sets by set, and the parameters by which inputs are prepared, as JSON."""
    clip = {
        "frames": config.model.clip_frames,
        "span_frames": config.model.span_frames,
        "nominal_fps": config.data.nominal_fps,
        "short_side_px": config.data.test_short_side,
    }
    label_maps = {name: names.label_map for name, names in classes.items()}
    named = next(iter(label_maps.values())) if len(label_maps) == 1 else label_maps
    return {"classes": json.dumps(named), "clip": json.dumps(clip)}
