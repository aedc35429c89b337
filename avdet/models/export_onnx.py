"""Exports a model to ONNX: frames, audio and a detector's boxes in, scores out, for any number of clips and boxes."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.ops import RoIAlign

from avdet.atomic_write import atomic_write
from avdet.models.action_model import ActionModel
from avdet.models.class_loss import ClassLoss
from avdet.models.drop_pathway import AudioState, no_audio
from avdet.models.heads import RoIHead
from avdet.models.ops.conv_bn_relu import fold_batch_norm
from avdet.structures import ClipBatch, PersonBoxes

__all__ = ["OPSET", "Exported", "OnnxInputs", "export_onnx", "random_inputs", "require_onnx", "run_onnx", "run_torch"]

OPSET = 18  # RoiAlign is Detectron2's aligned one from 16 on


@dataclass(frozen=True)
class OnnxInputs:
    """The inputs of the ONNX file, by name.

    frames: (B, 3, T, H, W) uint8. boxes_px: (N, 4) float32 xyxy in pixels of the frames. box_clip: (N,) int64.
    audio: (B, 1, T', F) float32. has_audio: (B,) float32, 1 or 0. Both are None for a video-only network. The boxes are
    None for a classifier.
    """

    frames: Tensor
    boxes_px: Tensor | None = None
    box_clip: Tensor | None = None
    audio: Tensor | None = None
    has_audio: Tensor | None = None

    def named(self) -> dict[str, Tensor]:
        """The inputs that are given, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class _GatedAudio(AudioState):
    """Audio of every clip, used where `gate` (B,) is 1. Leaving clips out gives the same but needs dynamic shapes."""

    gate: Tensor = field(default_factory=lambda: torch.ones(0))

    @property
    def fuses(self) -> bool:
        return True

    @property
    def can_pair(self) -> bool:
        return False

    @property
    def aligned(self) -> Tensor:
        return self.features

    def through(self, stage: nn.Module) -> _GatedAudio:
        return _GatedAudio(stage(self.features), self.clips, gate=self.gate)

    def add_to(self, visual: Tensor, lateral: Tensor) -> tuple[Tensor, AudioState]:
        return visual + lateral * self.gate[:, None, None, None, None], self

    def pool(self, batch: int, dim: int) -> Tensor:
        return self.features.mean(dim=(2, 3)) * self.gate[:, None]


class Exported(nn.Module):
    """A model as a function of tensors: the inputs of `OnnxInputs` in; scores (N, C) of boxes or (B, C) of clips out, a
    tensor for each class set.
    """

    def __init__(self, model: ActionModel) -> None:
        super().__init__()
        folded = fold_batch_norm(model)
        if isinstance(folded.head, RoIHead):
            # The ONNX exporter supports torchvision's operator only; Detectron2's is the same.
            folded.head.roi_align = _torchvision_roi_align(folded.head.roi_align)
        self.backbone, self.head, self.class_losses = folded.backbone, folded.head, folded.class_losses

    @property
    def outputs(self) -> list[str]:
        """The names of the outputs: scores, or scores_SET for each of several class sets."""
        return ["scores"] if len(self.class_losses) == 1 else [f"scores_{name}" for name in self.class_losses]

    def forward(
        self,
        frames: Tensor,
        boxes_px: Tensor | None = None,
        box_clip: Tensor | None = None,
        audio: Tensor | None = None,
        has_audio: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        state = no_audio(frames.device)
        if audio is not None and has_audio is not None:
            state = _GatedAudio(audio, torch.arange(audio.shape[0]), gate=has_audio)
        features = self.backbone(frames, state)
        boxes = () if boxes_px is None else (boxes_px, box_clip)
        logits = self.head(features, frames.shape[0], *boxes)
        return tuple(self._scores(name, logits[name]) for name in self.class_losses)

    def _scores(self, name: str, logits: Tensor) -> Tensor:
        class_loss = self.class_losses[name]
        assert isinstance(class_loss, ClassLoss)
        scores = class_loss.scores(logits)
        return scores.mean(dim=1) if scores.ndim == 3 else scores  # over the windows of the clip head


def export_onnx(model: ActionModel, example: OnnxInputs, path: Path, *, notes: Mapping[str, str]) -> None:
    """Writes `path` atomically, with batch norms folded. A detector takes frames of any size; a classifier those of the
    example's, because the clip head's windows depend on it.

    example: at least two clips and two boxes; with audio if the file is to have that input.
    notes: the file's metadata.
    """
    require_onnx()
    exported = Exported(model).eval()
    # Dimensions of equal size share one name.
    clips, boxes, height, width = (torch.export.Dim(name) for name in ("clips", "boxes", "height", "width"))
    sizes = {
        "frames": {0: clips} if example.boxes_px is None else {0: clips, 3: height, 4: width},
        "boxes_px": {0: boxes},
        "box_clip": {0: boxes},
        "audio": {0: clips},
        "has_audio": {0: clips},
    }
    inputs = example.named()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's deprecation warnings about its own code
        program = torch.onnx.export(
            exported,
            (),
            kwargs=inputs,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=exported.outputs,
            dynamic_shapes={name: sizes[name] for name in inputs},
            verbose=False,
        )
    assert program is not None
    program.model.metadata_props.update(notes)
    with atomic_write(path) as partial:
        program.save(partial, external_data=False)


def require_onnx() -> None:
    """Raises ValueError with the install command if a package for ONNX is missing."""
    missing = [name for name in ("onnx", "onnxruntime", "onnxscript") if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(f"{' and '.join(missing)} are not installed; pip install 'avdet[onnx]' brings them")


def run_onnx(path: Path, inputs: OnnxInputs) -> NDArray[np.float32]:
    """Scores from onnxruntime on the CPU; those of several class sets side by side."""
    import onnxruntime  # noqa: PLC0415  (optional)

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    scores = session.run(None, {name: value.numpy() for name, value in inputs.named().items()})
    return np.concatenate(scores, axis=1, dtype=np.float32)


def run_torch(model: ActionModel, inputs: OnnxInputs) -> NDArray[np.float32]:
    """Scores from the model itself, as of `run_onnx`."""
    clips = len(inputs.frames)
    batch = ClipBatch(
        frames=inputs.frames,
        audio=inputs.audio,
        has_audio=torch.zeros(clips, dtype=torch.bool) if inputs.has_audio is None else inputs.has_audio > 0,
        boxes_px=torch.zeros(0, 4) if inputs.boxes_px is None else inputs.boxes_px,
        box_clip=torch.zeros(0, dtype=torch.int64) if inputs.box_clip is None else inputs.box_clip,
        labels={},
        clips=(("", 0.0),) * clips,
        people=(PersonBoxes.from_boxes(torch.zeros(0, 4)),) * clips,
    )
    return torch.cat(list(model.predict_sets(batch).values()), dim=1).float().numpy()


def random_inputs(
    *,
    clips: int,
    boxes: int | None,
    frames: int,
    size_px: tuple[int, int],
    audio: tuple[int, int] | None,
    seed: int = 0,
) -> OnnxInputs:
    """Random inputs. size_px: height and width. audio: time steps and mel bins; every second clip has audio.

    boxes: None for a classifier.
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = size_px
    corners = torch.rand(boxes or 0, 2, 2, generator=generator).sort(dim=1).values * torch.tensor([width, height])
    has_audio = (torch.arange(clips) % 2 == 0).float()
    return OnnxInputs(
        frames=torch.randint(0, 256, (clips, 3, frames, height, width), dtype=torch.uint8, generator=generator),
        boxes_px=None if boxes is None else corners.flatten(1),
        box_clip=None if boxes is None else torch.randint(0, clips, (boxes,), generator=generator),
        audio=None if audio is None else torch.randn(clips, 1, *audio, generator=generator),
        has_audio=None if audio is None else has_audio,
    )


def _torchvision_roi_align(layer: Callable[[Tensor, Tensor], Tensor]) -> RoIAlign:
    size, scale, sampling, aligned = (
        getattr(layer, name) for name in ("output_size", "spatial_scale", "sampling_ratio", "aligned")
    )
    return RoIAlign(size, scale, sampling_ratio=sampling, aligned=aligned)
