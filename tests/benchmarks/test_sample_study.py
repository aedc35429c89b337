"""The tables of the studies, from results that are written here; nothing is trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avdet.synthetic.upper_bound import OBSERVATIONS
from benchmarks import sample_study, sample_upper_bound


def write(name: str, **numbers: object) -> None:
    folder = sample_study.RUNS / name
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps({"classification": numbers}), encoding="utf-8")


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_table_of_benchmarks(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The audio-dependent mean covers clapping and eating; waving is recognised by appearance."""
    for seed, top1 in enumerate((0.4, 0.6)):
        accuracy = {"clapping": top1, "eating": 0.2, "talking": None, "waving": 1.0}
        for title, pair in sample_study.PAIRS.items():
            for config, *settings in pair:
                numbers: dict[str, object] = {"top1": top1, "accuracy": accuracy}
                if title == "Charades":
                    numbers = {"mAP": top1, "AP": {"hand clap": top1, "sit": 1.0, "eat": None}}
                if title == "EPIC verbs":
                    numbers = {"all": {"verb": {"top1": top1}}, "accuracy": {"verb": accuracy}}
                write(f"{config}{'-video-only' if settings else ''}-{seed}", **numbers)
    assert sample_study.main(["benchmarks", "--seeds", "2"]) == 0
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    titles = ["Kinetics", "Kinetics-Sounds", "EPIC verbs", "Charades", "UCF101", "HMDB51"]
    assert [row[0].strip("| ") for row in rows] == titles
    assert rows[0][2:] == ["50.0 ± 14.1", "50.0 ± 14.1", "35.0 ± 7.1", "35.0 ± 7.1 |"]
    assert rows[3][1] == "mAP" and rows[3][4] == "50.0 ± 14.1"
    assert rows[2][1:] == rows[0][1:]


def test_probes_are_averaged_over_the_splits(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Splits of 20, 30 and 40 for the first seed, ten more for the second: means of 30 and 40."""
    for kind in ("none", "rotation", "AVS", "both"):
        for seed in range(2):
            if kind != "none":
                write(f"selfsup/{kind}-{seed}", top1=0.9)
            for split in (1, 2, 3):
                top1 = (1 + split + seed) / 10
                write(f"selfsup/{kind}-{seed}-probe-{split}", top1=top1, accuracy={"Clapping": top1, "Waving": 1.0})
    assert sample_study.main(["selfsup", "--seeds", "2"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert len(rows) == 4 and all(row.endswith(" | 35.0 ± 7.1 | 35.0 ± 7.1 |") for row in rows)


@pytest.mark.parametrize(("study", "kinds"), [("drop_pathway", 7), ("selfsup", 4)])
def test_studies_train_every_kind_of_run_once(
    workdir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, study: str, kinds: int
) -> None:
    trained: list[list[str]] = []

    def train(argv: list[str]) -> int:
        trained.append(argv)
        folder = Path(argv[argv.index("--output") + 1])
        folder.mkdir(parents=True)
        numbers = {"classification": {"top1": 0.5, "accuracy": {"Clapping": 0.25}}}
        (folder / "results.json").write_text(json.dumps(numbers), encoding="utf-8")
        return 0

    monkeypatch.setattr("avdet.cli.train_net.main", train)
    assert sample_study.main([study, "--seeds", "2"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert len(rows) == kinds and all("50.0 ± 0.0 | 25.0 ± 0.0" in row for row in rows)
    count = len(trained)
    assert sample_study.main([study, "--seeds", "2"]) == 0 and len(trained) == count
    assert all((Path(__file__).parents[2] / argv[1]).is_file() and "--sample" in argv for argv in trained)


def test_upper_bounds_of_every_class_and_observer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")  # wide enough for the column titles
    assert sample_upper_bound.main([]) == 0
    printed = capsys.readouterr().out
    assert "hand wave" in printed and "mAP" in printed and all(name in printed for name in OBSERVATIONS)
