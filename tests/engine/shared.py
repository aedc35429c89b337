"""What the tests of training share: one process without torchrun, changed settings, a signal after some steps."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from avdet.config import Config
from avdet.distributed import DistributedContext
from avdet.engine.interrupt import StopSignal

SINGLE_PROCESS = DistributedContext(0, 1, torch.device("cpu"))


def with_settings(config: Config, section: str, **settings: object) -> Config:
    """`config` with other settings in one section. Raises for a setting that does not exist."""
    section_settings = getattr(config, section)
    assert settings.keys() <= type(section_settings).model_fields.keys(), f"{section} has no {sorted(settings)}"
    return config.model_copy(update={section: section_settings.model_copy(update=settings)})


@dataclass
class StopAfter(StopSignal):
    """A stop signal that arrives after so many steps."""

    steps: int
    checks: int = field(default=0)

    @property
    def received(self) -> bool:  # type: ignore[override]
        self.checks += 1
        return self.checks >= self.steps
