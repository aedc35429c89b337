"""A tiny config as a file, a run trained from it, and checkpoints with random weights."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from rich.logging import RichHandler

from avdet.cli import train_net
from avdet.config import Config
from avdet.people.build_detector import build_trainable_detector, save_person_detector
from tests.inference.tiny_detector import save_tiny_detector
from tests.shared import make_once


@pytest.fixture(autouse=True)
def logging_to_the_terminal() -> Iterator[None]:
    """Removes the tool's log handlers after each test, because they hold the test's captured stdout."""
    yield
    for handler in logging.root.handlers[:]:
        if type(handler) in {logging.StreamHandler, RichHandler}:
            logging.root.removeHandler(handler)


@pytest.fixture(scope="session")
def tiny_config_file(tmp_path_factory: pytest.TempPathFactory, tiny_config: Config) -> str:
    path = tmp_path_factory.mktemp("config") / "tiny.yaml"
    path.write_text(tiny_config.to_yaml())
    return str(path)


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory, tiny_config_file: str) -> Path:
    """The directory of a finished run of train_net.py; tests only read it."""

    def train(folder: Path) -> None:
        assert train_net.main(["--config", tiny_config_file, "--output", str(folder / "run")]) == 0

    return make_once(tmp_path_factory, "trained", train) / "run"


@pytest.fixture(scope="session")
def action_checkpoint(tmp_path_factory: pytest.TempPathFactory, tiny_config: Config) -> str:
    """An action detector with random weights."""
    return str(save_tiny_detector(tmp_path_factory.mktemp("checkpoints") / "actions.pt", tiny_config))


@pytest.fixture(scope="session")
def person_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A person detector with random weights."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("checkpoints") / "people.pt"
    save_person_detector(path, build_trainable_detector("torchvision", device="cpu", sample=True))
    return str(path)
