import json
from pathlib import Path
from typing import Any

import pytest

from avdet.cli import compare_runs as cli
from avdet.config import Config
from avdet.engine.run_comparison import compare_runs


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
    seen = Config().model_copy(update={"seed": 3, "model": Config().model.model_copy(update={"audio": False})})
    return one, run(tmp_path / "other", seen, {"sit": 0.25, "fly": 0.5}, data_fingerprint="y")


def test_what_differs_is_listed(pair: tuple[Path, Path]) -> None:
    found = compare_runs(pair)
    assert found.settings == [("seed", [0, 3]), ("model.audio", [True, False])]
    assert found.metrics == [("mAP", [0.5, 0.375]), ("AP.sit", [0.5, 0.25]), ("AP.fly", [None, 0.5])]
    assert len(found.warnings) == 1 and "the data differ" in found.warnings[0]


def test_the_command(pair: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([str(path) for path in pair]) == 0
    said = capsys.readouterr().out
    assert "-0.1250" in said and "model.audio" in said and "the data differ" in said
    with pytest.raises(SystemExit) as stop:
        cli.main([str(pair[0]), str(tmp_path)])
    assert stop.value.code == 2 and "holds no results.json" in capsys.readouterr().err


def test_names_are_shown_as_they_are_and_tell_runs_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brackets are markup to what prints the table."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    pair = [run(tmp_path / name / "[red]run", Config(), {"open [/close] door": 0.5}) for name in ("a", "b")]
    assert cli.main([str(path.relative_to(tmp_path)) for path in pair]) == 0
    said = capsys.readouterr().out
    assert "AP.open [/close] door" in said and "a/[red]run" in said and "b/[red]run" in said


def test_of_more_runs_the_mean_is_told(
    pair: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three official splits, say: 0.5, 0.375 and 0.25."""
    third = run(tmp_path / "third", Config(), {"sit": 0.25, "fly": None})
    assert cli.main([*map(str, pair), str(third)]) == 0
    assert "0.3750 ± 0.1250" in capsys.readouterr().out


def test_runs_of_people(tmp_path: Path) -> None:
    pair = [run(tmp_path / name, Config(), {"sit": 0.5}, detection=None, people={"ap": ap}, versions=None)
            for name, ap in (("one", 0.5), ("other", 0.75))]  # fmt: skip
    assert compare_runs(pair).metrics == [("ap", [0.5, 0.75])]


def test_what_cannot_be_compared(pair: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people = run(tmp_path / "people", Config(), {"sit": 0.5}, detection=None, people={"ap": 0.5})
    again = pair[0].parent / "other" / ".." / "one"
    for folders, sentence in (((*pair, again), "is given twice"), ((pair[0], people), "have no metric in common")):
        with pytest.raises(SystemExit) as stop:
            cli.main([str(path) for path in folders])
        assert stop.value.code == 2 and sentence in capsys.readouterr().err
