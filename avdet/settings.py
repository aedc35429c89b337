"""The settings of a config's section `model`, each with its default and meaning, and the base of all settings.

Only build files, engine/ and cli/ read them. Everything else takes plain arguments.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

__all__ = ["AUDIO_STRIDES", "Fraction", "ModelConfig", "Section"]

Stage = Literal["pool1", "res2", "res3", "res4"]
AvsStage = Literal["res2", "res3", "res4", "pool5"]
Count = Annotated[int, Field(ge=1)]
Blocks = Annotated[int, Field(ge=1, le=200)]
StageBlocks = tuple[Blocks, Blocks, Blocks, Blocks]
Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
AUDIO_STRIDES = {"pool1": 1, "res2": 1, "res3": 2, "res4": 4, "pool5": 8}  # log-mel frames per Audio feature frame


def _is_odd(kernel: int) -> int:
    if kernel % 2 == 0:
        raise ValueError(f"{kernel} is even, so the kernel has no centre; choose an odd number, such as {kernel + 1}")
    return kernel


Odd = Annotated[int, Field(ge=1, le=99), AfterValidator(_is_odd)]


class Section(BaseModel):
    """Base of all settings: frozen, without unknown keys, NaN or Inf."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ModelConfig(Section):
    """The network. The defaults are AVSlowFast 4x16, R50; the paper's symbols are in the descriptions."""

    stage_blocks: StageBlocks = Field(
        (3, 4, 6, 3), description="Residual blocks of res2 to res5: (3, 4, 6, 3) is R50, (3, 4, 23, 3) is R101."
    )
    fast_blocks: StageBlocks | None = Field(
        None, description="Residual blocks of the Fast pathway's res2 to res5; null: as `stage_blocks`."
    )
    pathways: tuple[Literal["slow", "fast"], ...] = Field(
        ("slow", "fast"), description="[slow, fast], or [slow]: the Slow pathway alone, without audio."
    )
    width: int = Field(64, ge=8, le=1024, description="Channels of the Slow pathway after conv1.")
    slow_frames: int = Field(4, ge=1, le=1024, description="Frames that the Slow pathway sees (T).")
    slow_stride: int = Field(16, ge=1, le=1024, description="Raw frames between two frames of the Slow pathway (tau).")
    alpha: int = Field(8, ge=1, le=64, description="Frames of the Fast pathway per frame of the Slow pathway.")
    slow_sampling: Literal["linspace", "stride"] = Field(
        "linspace",
        description="Which of Fast's frames Slow sees: evenly spaced from the first to the last, or every alpha-th.",
    )
    beta: float = Field(0.125, gt=0, le=1, description="Channels of the Fast pathway relative to the Slow pathway.")
    fast_to_slow_kernel: Odd = Field(5, description="Temporal kernel of the F->S lateral connections; 7 for 8x8.")
    fast_to_slow_stages: tuple[Stage, ...] = Field(("res3", "res4"), description="Stages followed by F->S connections.")
    fast_to_slow_norm: bool = Field(True, description="Batch norm and ReLU after F->S; MMAction2's F->S has neither.")
    res4_temporal_blocks: int | None = Field(
        None, ge=0, description="First res4 blocks with temporal kernel 3; null: all."
    )
    nonlocal_blocks: tuple[int, ...] = Field(
        (), description="Blocks of Slow's res4 (from 0) followed by a non-local block."
    )
    nonlocal_form: Literal["dot_product", "softmax"] = Field("dot_product", description="Form of the non-local blocks.")
    nonlocal_pool: tuple[Count, Count, Count] = Field(
        (1, 2, 2), description="Max pooling (T, H, W) of the positions to which a non-local block attends."
    )
    audio: Literal[True, False, "only"] = Field(
        True, description="true: audio and video; false: video only (SlowFast); only: the Audio pathway alone."
    )
    audio_frames: int = Field(128, ge=8, le=65536, description="Time steps of a clip's log-mel spectrogram.")
    mel_bins: int = Field(80, ge=8, le=1024, description="Frequency bins of the log-mel spectrogram.")
    beta_audio: float = Field(
        0.5, gt=0, le=4, description="Channels of the Audio pathway relative to the Slow pathway (beta_A)."
    )
    audio_blocks: StageBlocks | None = Field(
        None, description="Residual blocks of the Audio pathway's res2 to res5; null: as `stage_blocks`."
    )
    fusion: Literal["a_to_fs", "a_to_f_to_s", "nonlocal"] = Field(
        "a_to_fs", description="How audio is fused into the visual pathways (section 3.2)."
    )
    fusion_stages: tuple[Stage, ...] = Field(
        ("res3", "res4"), description="Stages after which audio is fused; []: only at the classifier (late fusion)."
    )
    fusion_width: int = Field(64, ge=4, le=4096, description="Channels between the two convolutions of A->FS.")
    drop_pathway_rate: Fraction = Field(0.8, description="Probability of dropping the Audio pathway in training (P_d).")
    drop_pathway_mode: Literal["full", "lateral"] = Field(
        "full",
        description="full: drop audio everywhere (the paper); lateral: drop only its lateral connections (the authors' "
        "code).",
    )
    avs_stages: tuple[AvsStage, ...] = Field(
        (), description="Stages with an audiovisual synchronisation (AVS) loss; the paper: [res3, res4, pool5]."
    )
    avs_weight: float = Field(1.0, ge=0, description="Weight of the AVS losses in the total loss.")
    dropout: Fraction = Field(0.5, description="Dropout before the classifier.")
    roi_resolution: int = Field(7, ge=1, le=64, description="Output size of RoIAlign, in cells.")
    roi_aligned: bool = Field(True, description="RoIAlign shifts boxes by half a cell, to the cells' centres.")
    res5_dilation: int = Field(2, ge=1, le=64, description="Dilation of res5 in a detector, where its stride is 1.")
    pixel_mean: tuple[float, float, float] = Field(
        (0.45, 0.45, 0.45), description="Mean of red, green and blue for pixels in [0, 1]."
    )
    pixel_std: tuple[Positive, Positive, Positive] = Field(
        (0.225, 0.225, 0.225), description="Standard deviation of red, green and blue for pixels in [0, 1]."
    )
    channel_order: Literal["rgb", "bgr"] = Field("rgb", description="Order of the colours in the network's input.")
    weights: Path | None = Field(None, description="Checkpoint to start from; a head with other classes starts anew.")

    @property
    def fast_width(self) -> int:
        """0 without a Fast pathway."""
        return max(1, round(self.width * self.beta)) if "fast" in self.pathways else 0

    @property
    def audio_width(self) -> int:
        return max(1, round(self.width * self.beta_audio))

    @property
    def clip_frames(self) -> int:
        """Frames that enter the network: Fast's, or Slow's without a Fast pathway."""
        return self.slow_frames * (self.alpha if "fast" in self.pathways else 1)

    @property
    def span_frames(self) -> int:
        """Raw frames that a clip spans: 64 for 4x16."""
        return self.slow_frames * self.slow_stride

    @property
    def uses_audio(self) -> bool:
        return self.audio is not False

    @model_validator(mode="after")
    def _fits(self) -> ModelConfig:
        if self.span_frames % self.clip_frames:
            raise ValueError(
                f"slow_stride {self.slow_stride} is not a multiple of alpha {self.alpha}, so the Fast pathway's stride "
                "is not an integer; choose an alpha that divides slow_stride"
            )
        if self.pathways not in {("slow", "fast"), ("slow",)}:
            raise ValueError(f"pathways {list(self.pathways)} is no network; choose [slow, fast] or [slow]")
        if self.uses_audio and not self.fast_width:
            raise ValueError("pathways [slow] has no lateral connections for audio; set model.audio=false")
        if self.avs_stages and self.audio is not True:
            raise ValueError("avs_stages needs both audio and video; set model.audio=true or model.avs_stages=[]")
        if any(block not in range(self.stage_blocks[2]) for block in self.nonlocal_blocks):
            raise ValueError(
                f"nonlocal_blocks {list(self.nonlocal_blocks)} names a block that res4 does not have; "
                f"its {self.stage_blocks[2]} blocks count from 0"
            )
        return self

    @model_validator(mode="after")
    def _audio_fits(self) -> ModelConfig:
        """Audio meets video frames at integer strides."""
        if self.audio is not True:
            return self
        bare = [stage for stage in self.fusion_stages if stage not in self.fast_to_slow_stages]
        if self.fusion == "a_to_f_to_s" and bare:
            raise ValueError(f"fusion a_to_f_to_s at {bare[0]} needs F->S there; add it to fast_to_slow_stages")
        frames = self.clip_frames if self.fusion == "a_to_f_to_s" else self.slow_frames
        frames_at: dict[str, int] = dict.fromkeys(self.avs_stages, self.slow_frames)
        if self.fusion != "nonlocal":
            frames_at.update(dict.fromkeys(self.fusion_stages, frames))
        for stage, count in frames_at.items():
            if self.audio_frames % (AUDIO_STRIDES[stage] * count):
                raise ValueError(
                    f"audio_frames {self.audio_frames} gives {self.audio_frames / AUDIO_STRIDES[stage]:g} audio steps "
                    f"after {stage}, not a multiple of the {count} video frames there; choose a multiple of "
                    f"{AUDIO_STRIDES[stage] * count}"
                )
        return self
