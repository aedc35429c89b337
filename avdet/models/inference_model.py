"""The copy of a model that predicts: batch norms folded into convolutions, in bfloat16 where the device computes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn

from avdet.models.action_model import ActionModel
from avdet.models.avslowfast import Features
from avdet.models.drop_pathway import AudioState
from avdet.models.ops.conv_bn_relu import fold_batch_norm

__all__ = ["Precision", "computes_bfloat16", "inference_dtype", "inference_model"]

Precision = Literal["auto", "float32", "bfloat16"]


def inference_model(model: ActionModel, device: torch.device, precision: Precision = "auto") -> ActionModel:
    """A copy of `model` on `device` that predicts the same, faster, and cannot be trained.

    In bfloat16 scores change by about 1e-3, and by up to 0.02 where logits spread widely; the head computes in float32.
    """
    if inference_dtype(device, precision) != torch.bfloat16:
        return fold_batch_norm(model).to(device)
    folded = fold_batch_norm(model, torch.bfloat16).to(device)
    folded.backbone = _Autocast(folded.backbone, device.type)
    return folded


def inference_dtype(device: torch.device, precision: Precision = "auto") -> torch.dtype:
    """The dtype of the backbone's convolutions. auto: bfloat16 where `computes_bfloat16`, else float32."""
    if precision == "auto":
        return torch.bfloat16 if computes_bfloat16(device) else torch.float32
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def computes_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16. Emulated, it takes several times as long as float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


class _Autocast(nn.Module):
    """A backbone that computes in bfloat16 and returns float32."""

    def __init__(self, backbone: nn.Module, device_type: str) -> None:
        super().__init__()
        self.backbone = backbone
        self.device_type = device_type

    def forward(self, frames: Tensor, audio: AudioState) -> Features:
        with torch.autocast(self.device_type, torch.bfloat16):
            features = self.backbone(frames, audio)
        visual = tuple(pathway.float() for pathway in features.visual)
        return Features(visual, replace(features.audio, features=features.audio.features.float()))
