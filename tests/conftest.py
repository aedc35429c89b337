"""Fixtures of all tests: the tiny sample sets, and a config that trains on one in seconds.

The imports are in the fixtures because pytest-xdist's main process loads this file too, and the workers wait for it.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.shared import make_once

if TYPE_CHECKING:
    from avdet.config import Config

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: several threads are slower on tiny tensors
multiprocessing.set_forkserver_preload(["avdet.engine.session"])  # imported once for all processes of "forkserver"
REPOSITORY = Path(__file__).parents[1]
TINY_MODEL = ("model.width=8", "model.slow_frames=2", "model.slow_stride=8", "model.alpha=4", "model.audio_frames=32")
TINY_DATA = ("data.train_short_side=[48,64]", "data.train_crop=48", "data.test_short_side=48", "data.workers=0")
TINY_TRAINING = (
    "train.epochs=4",
    "train.batch_size=4",
    "train.base_batch_size=4",
    "train.precise_bn_clips=8",
    "train.eval_every=2",
)


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    """Removes the log handlers that a tool adds: the stream that they write to is closed after the test."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in set(root.handlers).difference(handlers):
        root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five videos of the synthetic data set in AVA's files: videos/ and annotations/."""
    from avdet.synthetic.make_sample import make_sample
    from avdet.synthetic.synthetic_settings import SampleSettings

    settings = SampleSettings(  # every clip is decoded from a near key frame, and its audio is not resampled
        num_train=3, num_val=2, duration_s=(5.0, 6.0), width_px=160, height_px=120, gop=12, sample_rate=16000
    )
    return make_once(tmp_path_factory, "sample", lambda folder: make_sample(folder, workers=1, settings=settings))


@pytest.fixture(scope="session")
def tiny_settings(sample: Path) -> tuple[str, ...]:
    """Overrides that scale any config down to seconds on `sample`."""
    places = (f"data.videos={sample / 'videos'}", f"data.annotations={sample / 'annotations'}")
    return (*places, *TINY_MODEL, *TINY_DATA, *TINY_TRAINING)


@pytest.fixture(scope="session")
def tiny_config(tiny_settings: tuple[str, ...]) -> Config:
    from avdet.config import load_config

    overlay = REPOSITORY / "avdet/synthetic/recipes/detection.yaml"
    return load_config(REPOSITORY / "configs/ava/avslowfast.yaml", overlays=(overlay,), overrides=tiny_settings)


@pytest.fixture(scope="session")
def clip_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six videos of the synthetic data set in the files of the classification benchmarks."""
    from avdet.synthetic.make_clip_sample import make_clip_sample
    from tests.synthetic.tiny import TINY_CLIP_SAMPLE

    def make(folder: Path) -> None:
        make_clip_sample(folder, workers=1, settings=TINY_CLIP_SAMPLE)

    return make_once(tmp_path_factory, "clips", make)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium; the test is skipped where it is missing."""
    from tests.chromium import launched

    with launched() as browser:
        yield browser
