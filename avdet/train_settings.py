"""The settings of a config's sections `train` and `test`, each with its default and meaning."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from avdet.settings import Fraction, Section

__all__ = ["TestConfig", "TrainConfig"]

Freezable = Literal["norms", "conv1", "res2", "res3", "res4", "res5", "trunk"]


class TrainConfig(Section):
    """The optimisation."""

    epochs: int = Field(20, ge=1, description="Epochs to train.")
    batch_size: int = Field(64, ge=1, description="Clips per iteration, over all processes.")
    lr: float = Field(0.1, gt=0, description="Learning rate at `base_batch_size`; scaled linearly to `batch_size`.")
    base_batch_size: int = Field(64, ge=1, description="Batch size that `lr` and `warmup_lr` are given for.")
    schedule: Literal["cosine", "step"] = Field("cosine", description="Learning rate schedule after the warm-up.")
    milestones: tuple[float, ...] = Field(
        (), description="Epochs at which the schedule `step` divides the learning rate by ten."
    )
    warmup_epochs: float = Field(0.0, ge=0, description="Epochs of linear warm-up.")
    warmup_lr: float = Field(0.0, ge=0, description="Learning rate at which the warm-up starts.")
    momentum: Fraction = Field(0.9, description="Momentum of SGD.")
    nesterov: bool = Field(True, description="Nesterov momentum.")
    weight_decay: float = Field(1e-4, ge=0, description="Weight decay of all parameters but batch norms.")
    bn_weight_decay: float = Field(0.0, ge=0, description="Weight decay of batch norms.")
    grad_clip_norm: float | None = Field(
        None, gt=0, description="Upper bound of the norm of all gradients; null: no clipping."
    )
    freeze: tuple[Freezable, ...] = Field(
        (), description="Parts that are not trained: norms (all batch norms), stages, or trunk (all but the head)."
    )
    amp: bool = Field(True, description="Train in bfloat16 on GPUs that compute it; the CPU always uses float32.")
    accumulation_steps: int = Field(
        1, ge=1, description="Parts in which a batch is processed to save memory (gradient accumulation)."
    )
    ema: float = Field(
        0.0, ge=0, lt=1, description="Decay of an average of the weights, which is then evaluated; 0: off."
    )
    sync_bn: bool = Field(False, description="Synchronise batch norms over all processes.")
    activation_checkpointing: bool = Field(
        False, description="Recompute the residual blocks' activations in the backward pass: less memory, more time."
    )
    compile: bool = Field(False, description="torch.compile the backbone.")
    max_nonfinite_steps: int = Field(
        0, ge=0, description="Iterations with NaN or Inf that are skipped before training stops."
    )
    keep_checkpoints: int = Field(1, ge=0, description="Earlier checkpoints that are kept beside the last one.")
    precise_bn_clips: int = Field(
        0, ge=0, description="Training clips that recompute the batch norm statistics before an evaluation; 0: off."
    )
    eval_every: int = Field(1, ge=1, description="Epochs between two evaluations.")
    log_every: int = Field(10, ge=1, description="Iterations between two log lines.")

    @model_validator(mode="after")
    def _fits(self) -> TrainConfig:
        if self.warmup_epochs > self.epochs:
            raise ValueError(
                f"Warm-up ({self.warmup_epochs:g} epochs) is longer than training ({self.epochs}); "
                "shorten train.warmup_epochs"
            )
        if (self.schedule == "step") != bool(self.milestones):
            raise ValueError("milestones belong to schedule: step, and to no other; set both or neither")
        return self


class TestConfig(Section):
    """The evaluation."""

    batch_size: int = Field(8, ge=1, description="Clips per forward pass and process.")
    iou: float = Field(0.5, gt=0, le=1, description="IoU at which a detection matches a ground-truth box.")
    protocol: Literal["official", "pyslowfast", "mmaction2"] = Field(
        "official", description="Evaluation protocol of frame mAP (docs/evaluator.md)."
    )
    ties: Literal["expected", "worst", "best", "file"] = Field(
        "expected", description="Order of detections of equal score in frame mAP; expected: the mean over all orders."
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Precision of the model; auto: bfloat16 where the device computes it, else float32."
    )
