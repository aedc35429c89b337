"""Every setting, typed, with its default and meaning.

Read by the build.py files, engine/ and cli/ only: everything below them takes plain arguments.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, field_validator, model_validator

from avdet.datasets.data_settings import AvaData, ClipData, Data, Fraction, Section

Stage = Literal["pool1", "res2", "res3", "res4"]
SyncStage = Literal["res2", "res3", "res4", "pool5"]
Frozen = Literal["norms", "conv1", "res2", "res3", "res4", "res5", "trunk"]
Blocks = Annotated[int, Field(ge=1)]
AUDIO_STRIDES = {"pool1": 1, "res2": 1, "res3": 2, "res4": 4, "pool5": 8}  # steps of the log-mel a step of Audio


def _is_odd(kernel: int) -> int:
    if kernel % 2 == 0:
        raise ValueError(f"{kernel} frames have no middle one; choose an odd number, such as {kernel + 1}")
    return kernel


Odd = Annotated[int, Field(ge=1), AfterValidator(_is_odd)]


class ModelConfig(Section):
    """The network; the paper's names are in the comments. Defaults: AVSlowFast 4x16, R50."""

    stage_blocks: tuple[Blocks, Blocks, Blocks, Blocks] = (3, 4, 6, 3)  # R50; R101 is (3, 4, 23, 3)
    width: int = Field(64, ge=8)  # channels of the Slow pathway after conv1
    slow_frames: int = Field(4, ge=1)  # T
    slow_stride: int = Field(16, ge=1)  # tau: raw frames between two of the Slow pathway
    alpha: int = Field(8, ge=1)  # the Fast pathway sees alpha times as many frames
    beta: float = Field(0.125, gt=0, le=1)  # channels of Fast to those of Slow
    fast_to_slow_kernel: Odd = 5  # frames; 7 for 8x8
    fast_to_slow_stages: tuple[Stage, ...] = ("res3", "res4")
    res4_temporal_blocks: int | None = Field(None, ge=0)  # blocks of res4 with temporal kernel 3; null: all
    nonlocal_blocks: tuple[int, ...] = ()  # blocks of the Slow pathway's res4 that a non-local block follows
    nonlocal_form: Literal["dot_product", "softmax"] = "dot_product"
    audio: Literal[True, False, "only"] = True  # true: audio and video; false: video; only: audio alone
    audio_frames: int = Field(128, ge=8)  # time steps of the log-mel
    mel_bins: int = Field(80, ge=8)
    beta_audio: float = Field(0.5, gt=0, le=4)  # beta_A: channels of Audio to those of Slow
    audio_blocks: tuple[Blocks, Blocks, Blocks, Blocks] | None = None  # null: as stage_blocks
    fusion: Literal["a_to_fs", "a_to_f_to_s", "nonlocal"] = "a_to_fs"
    fusion_stages: tuple[Stage, ...] = ("res3", "res4")  # () is late fusion only
    fusion_width: int = Field(64, ge=4)  # channels between the two convolutions of A->FS
    drop_pathway_rate: Fraction = 0.8  # P_d
    drop_pathway_mode: Literal["full", "lateral"] = "full"
    avs_stages: tuple[SyncStage, ...] = ()  # where the AVS loss stands; the paper: res3, res4, pool5
    avs_weight: float = Field(1.0, ge=0)
    dropout: Fraction = 0.5
    roi_resolution: int = Field(7, ge=1)
    weights: Path | None = None  # a checkpoint to start from; heads of another size are made anew

    @property
    def fast_frames(self) -> int:
        return self.slow_frames * self.alpha

    @property
    def span_frames(self) -> int:
        """Raw frames that a clip spans: 64 for 4x16."""
        return self.slow_frames * self.slow_stride

    @property
    def uses_audio(self) -> bool:
        return self.audio is not False

    @model_validator(mode="after")
    def _fits(self) -> ModelConfig:
        if self.slow_stride % self.alpha:
            raise ValueError(
                f"slow_stride {self.slow_stride} is no multiple of alpha {self.alpha}, so the Fast pathway's stride is "
                "no whole number; choose an alpha that divides it"
            )
        if self.avs_stages and self.audio is not True:
            raise ValueError("avs_stages need both pathways; set model.audio=true or model.avs_stages=[]")
        if any(block not in range(self.stage_blocks[2]) for block in self.nonlocal_blocks):
            raise ValueError(
                f"nonlocal_blocks {list(self.nonlocal_blocks)} names a block that res4 does not have; "
                f"its {self.stage_blocks[2]} count from 0"
            )
        return self

    @model_validator(mode="after")
    def _sound_fits(self) -> ModelConfig:
        """Sound meets frames by whole strides."""
        if self.audio is not True:
            return self
        bare = [stage for stage in self.fusion_stages if stage not in self.fast_to_slow_stages]
        if self.fusion == "a_to_f_to_s" and bare:
            raise ValueError(f"fusion a_to_f_to_s at {bare[0]} goes through F->S there; add it to fast_to_slow_stages")
        frames = self.fast_frames if self.fusion == "a_to_f_to_s" else self.slow_frames
        meetings: dict[str, int] = dict.fromkeys(self.avs_stages, self.slow_frames)
        if self.fusion != "nonlocal":
            meetings.update(dict.fromkeys(self.fusion_stages, frames))
        for stage, count in meetings.items():
            if self.audio_frames % (AUDIO_STRIDES[stage] * count):
                raise ValueError(
                    f"audio_frames {self.audio_frames} are {self.audio_frames / AUDIO_STRIDES[stage]:g} steps of sound "
                    f"after {stage}, no multiple of the {count} frames there; choose a multiple of "
                    f"{AUDIO_STRIDES[stage] * count}"
                )
        return self


class TrainConfig(Section):
    """The optimisation. `lr` is for `base_batch_size` clips and scales linearly with the batch size."""

    epochs: int = Field(20, ge=1)
    batch_size: int = Field(64, ge=1)  # clips an iteration, over all processes
    lr: float = Field(0.1, gt=0)
    base_batch_size: int = Field(64, ge=1)
    schedule: Literal["cosine", "step"] = "cosine"
    milestones: tuple[float, ...] = ()  # where `step` divides the rate by ten
    warmup_epochs: float = Field(0.0, ge=0)
    warmup_lr: float = Field(0.0, ge=0)
    momentum: Fraction = 0.9
    nesterov: bool = True
    weight_decay: float = Field(1e-4, ge=0)
    bn_weight_decay: float = Field(0.0, ge=0)
    grad_clip_norm: float | None = Field(None, gt=0)  # largest norm of all gradients together
    freeze: tuple[Frozen, ...] = ()  # norms: all batch norms as they are; trunk: all but the head; or stages
    amp: bool = True  # bf16 on GPUs that have it; never on the CPU
    accumulation_steps: int = Field(1, ge=1)  # parts in which an iteration's clips go through, to save memory
    ema: float = Field(0.0, ge=0, lt=1)  # decay of a moving average of the weights, which is then evaluated; 0: none
    sync_bn: bool = False  # batch norms over all processes: many give the numbers of one
    activation_checkpointing: bool = False  # activation checkpointing: less memory, more time
    compile: bool = False  # torch.compile, of the backbone
    max_nonfinite_steps: int = Field(
        0, ge=0
    )  # iterations with a NaN or infinity that are left out before training stops
    keep_checkpoints: int = Field(1, ge=0)  # checkpoints before the last one that stay
    precise_bn_clips: int = Field(0, ge=0)  # training clips that set the batch norms' statistics before an evaluation
    eval_every: int = Field(1, ge=1)  # epochs
    log_every: int = Field(10, ge=1)  # iterations

    @model_validator(mode="after")
    def _fits(self) -> TrainConfig:
        if self.warmup_epochs > self.epochs:
            raise ValueError(
                f"Warm-up ({self.warmup_epochs:g} epochs) is longer than training ({self.epochs}); "
                "shorten train.warmup_epochs"
            )
        if (self.schedule == "step") != bool(self.milestones):
            raise ValueError("step_epochs goes with schedule: step, and only with it; set both or neither")
        return self


class TestConfig(Section):
    batch_size: int = Field(8, ge=1)
    iou: float = Field(0.5, gt=0, le=1)
    protocol: Literal["official", "pyslowfast", "mmaction2"] = "official"


class Config(Section):
    """A recipe. `name` gives the run directory its name where --output does not."""

    name: str = "avdet"
    seed: int = Field(0, ge=0, lt=2**63)
    model: ModelConfig = ModelConfig()
    data: Data = AvaData()
    train: TrainConfig = TrainConfig()
    test: TestConfig = TestConfig()

    @model_validator(mode="before")
    @classmethod
    def _data_is_avas(cls, settings: dict[str, Any]) -> dict[str, Any]:
        """Where a recipe does not name its kind of data."""
        data = settings.get("data")
        return {**settings, "data": {"kind": "ava", **data}} if isinstance(data, dict) else settings

    @field_validator("name")
    @classmethod
    def _is_one_folder(cls, name: str) -> str:
        if not name.strip(". ") or any(sign in name for sign in "/\\\n\0"):
            raise ValueError(f"{name!r} is no name for a run's folder; give a word without slashes")
        return name

    @model_validator(mode="after")
    def _learns_something(self) -> Config:
        if isinstance(self.data, ClipData) and self.data.task == "none" and not self.model.avs_stages:
            raise ValueError(
                "data.task is none and model.avs_stages is empty, so there is nothing to learn; set "
                "model.avs_stages=[res3,res4,pool5], or data.task=rotation"
            )
        return self

    @property
    def ava(self) -> AvaData:
        """The data of a recipe that detects."""
        assert isinstance(self.data, AvaData), f"data of kind {self.data.kind} has no boxes"
        return self.data

    @property
    def clips(self) -> ClipData:
        """The data of a recipe that classifies whole clips."""
        assert isinstance(self.data, ClipData), f"data of kind {self.data.kind} has no labels of whole clips"
        return self.data

    def to_yaml(self) -> str:
        """Reads back equal."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)
