"""compare_runs.py on run directories without checkpoints."""

import json
from pathlib import Path
from typing import Any

import pytest

from avdet.cli.compare_runs import main
from avdet.config import Config
from avdet.engine.run_comparison import compare_runs
from tests.cli.refusal import refusal


def run(path: Path, config: Config, ap: dict[str, float | None], **origin: Any) -> Path:  # noqa: ANN401
    path.mkdir()
    (path / "config.yaml").write_text(config.to_yaml())
    known = [x for x in ap.values() if x is not None]
    detection = {"protocol": "official", "iou": 0.5, "mAP": sum(known) / len(known), "AP": ap, "counts": {"a": 1}}
    results = {"detection": detection, "versions": {"torch": "2.12"}, "git_revision": "a", "data_fingerprint": "x"}
    (path / "results.json").write_text(json.dumps({**results, **origin}))
    return path


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    one = run(tmp_path / "one", Config(), {"sit": 0.5, "fly": None})
    video_only = Config().model_copy(update={"seed": 3, "model": Config().model.model_copy(update={"audio": False})})
    return one, run(tmp_path / "other", video_only, {"sit": 0.25, "fly": 0.5}, data_fingerprint="y")


def test_differences_are_listed(pair: tuple[Path, Path]) -> None:
    comparison = compare_runs(pair)
    assert comparison.settings == [("seed", [0, 3]), ("model.audio", [True, False])]
    assert comparison.metrics == [("mAP", [0.5, 0.375]), ("AP.sit", [0.5, 0.25]), ("AP.fly", [None, 0.5])]
    assert len(comparison.warnings) == 1 and "the data differ" in comparison.warnings[0]


def test_the_difference_of_two_runs(
    pair: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(path) for path in pair]) == 0
    printed = capsys.readouterr().out
    assert "-0.1250" in printed and "model.audio" in printed and "the data differ" in printed
    assert "no results.json" in refusal(main, capsys, pair[0], tmp_path)


def test_equal_names_are_shown_as_paths(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brackets are printed, though they are markup to rich."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    pair = [run(tmp_path / name / "[red]run", Config(), {"open [/close] door": 0.5}) for name in ("a", "b")]
    assert main([str(path.relative_to(tmp_path)) for path in pair]) == 0
    printed = capsys.readouterr().out
    assert "AP.open [/close] door" in printed and "a/[red]run" in printed and "b/[red]run" in printed


def test_the_mean_and_deviation_of_three_runs(
    pair: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The metrics are 0.5, 0.375 and 0.25."""
    third = run(tmp_path / "third", Config(), {"sit": 0.25, "fly": None})
    assert main([*map(str, pair), str(third)]) == 0
    assert "0.3750 ± 0.1250" in capsys.readouterr().out


def test_runs_of_person_detectors(tmp_path: Path) -> None:
    pair = [run(tmp_path / name, Config(), {"sit": 0.5}, detection=None, people={"ap": ap}, versions=None)
            for name, ap in (("one", 0.5), ("other", 0.75))]  # fmt: skip
    assert compare_runs(pair).metrics == [("ap", [0.5, 0.75])]


def test_wrong_usage(pair: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people = run(tmp_path / "people", Config(), {"sit": 0.5}, detection=None, people={"ap": 0.5})
    same = pair[0].parent / "other" / ".." / "one"
    for folders, message in (((*pair, same), "is given twice"), ((pair[0], people), "have no metric in common")):
        assert message in refusal(main, capsys, *folders)
