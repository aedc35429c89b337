import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import benchmark
from benchmarks import reference
from benchmarks.model import Mode

DEFAULTS = """
from types import SimpleNamespace

class Settings(SimpleNamespace):
    def set_new_allowed(self, allowed):
        self.allowed = allowed

    def merge_from_file(self, path):
        assert self.allowed and path.endswith(".yaml")

def get_cfg():
    return Settings(DATA=SimpleNamespace(), SLOWFAST=SimpleNamespace(AVS_FLAG=[True] * 5))
"""
MODELS = """
import detectron2.layers
import slowfast.datasets.utils
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(80, 400)

    def forward(self, inputs):
        slow, fast, audio = inputs.pop(), inputs.pop(), inputs.pop()
        return self.fc(slow[:, 0, 0, 0])

def build_model(settings):
    assert settings.SLOWFAST.AVS_FLAG == [False] * 5 and settings.SLOWFAST.DROPPATHWAY_RATE == 0
    return Net()
"""


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A clone with a small model that modifies its list of inputs, as the authors' model does."""
    for name, text in {
        "slowfast/__init__.py": "", "slowfast/config/__init__.py": "", "slowfast/config/defaults.py": DEFAULTS,
        "slowfast/models/__init__.py": MODELS, reference.CONFIG: "",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("slowfast") or name in reference.UNUSED:
            del sys.modules[name]


@pytest.mark.parametrize("what", ["prediction", "training step"])
def test_the_reference_runs_repeatedly(code: Path, what: str) -> None:
    name = f"{what}, {reference.REFERENCE}"
    mode = reference._modes()[name]
    run = reference._prepare(code, name, Mode(what, "fp32", mode.clips, 8))
    seconds = reference._in_turns({name: run}, 3, what)
    assert len(seconds[name]) == 3


def test_wrong_usage(code: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (code / "slowfast/config/defaults.py").write_text("import absent_library")
    for argv, message in (
        ([str(code / "slowfast")], "give a clone of github.com/fanyix/SlowFast"),
        ([str(code), "--rounds", "0"], "--rounds is 0; give 1 or more"),
        ([str(code)], "the authors' code needs absent_library"),
    ):
        monkeypatch.setattr(reference, "_peak_gb", lambda code, *_: reference._authors_model(code))
        with pytest.raises(SystemExit) as stop:
            benchmark.main(["reference", *argv])
        assert stop.value.code == 2 and message in capsys.readouterr().err


def test_modes() -> None:
    kinds = [name.partition(", ")[2] for name in reference._modes()]
    assert kinds.count(reference.REFERENCE) == 2
    assert ("avdet, bf16, audio dropped" in kinds) == bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
