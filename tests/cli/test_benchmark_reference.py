import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from avdet.cli import benchmark, benchmark_reference
from avdet.cli.benchmark_model import Mode

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
        slow, fast, sound = inputs.pop(), inputs.pop(), inputs.pop()
        return self.fc(slow[:, 0, 0, 0])

def build_model(settings):
    assert settings.SLOWFAST.AVS_FLAG == [False] * 5 and settings.SLOWFAST.DROPPATHWAY_RATE == 0
    return Net()
"""


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A clone whose network is small and changes the list that it is given, as the authors' does."""
    for name, text in {
        "slowfast/__init__.py": "", "slowfast/config/__init__.py": "", "slowfast/config/defaults.py": DEFAULTS,
        "slowfast/models/__init__.py": MODELS, benchmark_reference.RECIPE: "",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("slowfast") or name in benchmark_reference.UNUSED:
            del sys.modules[name]


@pytest.mark.parametrize("what", ["prediction", "training step"])
def test_the_reference_can_be_run_again_and_again(code: Path, what: str) -> None:
    name = f"{what}, {benchmark_reference.REFERENCE}"
    mode = benchmark_reference._modes()[name]
    run = benchmark_reference._prepare(code, name, Mode(what, "fp32", mode.clips, 8))
    seconds = benchmark_reference._in_turns({name: run}, 3, what)
    assert len(seconds[name]) == 3


def test_what_cannot_be_measured_is_said(
    code: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (code / "slowfast/config/defaults.py").write_text("import absent_library")
    for argv, said in (
        ([str(code / "slowfast")], "give a clone of github.com/fanyix/SlowFast"),
        ([str(code), "--rounds", "0"], "--rounds 0 leaves nothing to measure"),
        ([str(code)], "the authors' code needs absent_library"),
    ):
        monkeypatch.setattr(benchmark_reference, "_peak_gb", lambda code, *_: benchmark_reference._authors_model(code))
        with pytest.raises(SystemExit) as stop:
            benchmark.main(["reference", *argv])
        assert stop.value.code == 2 and said in capsys.readouterr().err


def test_modes() -> None:
    kinds = [name.partition(", ")[2] for name in benchmark_reference._modes()]
    assert kinds.count(benchmark_reference.REFERENCE) == 2
    assert ("ours, bf16, sound dropped" in kinds) == bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
