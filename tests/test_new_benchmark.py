"""A benchmark is added with one file and one line in DATASETS; the tools then train and evaluate on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avdet.cli import test_net, train_net
from avdet.datasets import DATASETS
from tests import new_benchmark
from tests.synthetic.tiny import TINY_CLIPS

TINY = (
    *TINY_CLIPS, "model.stage_blocks=[1,1,1,1]", "data.test_num_clips=1", "data.test_num_crops=1", "train.epochs=1",
    "train.batch_size=4",
)  # fmt: skip


@pytest.fixture
def config(clip_sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config on the sample's trimmed clips, listed as JSON; the benchmark is registered."""
    monkeypatch.setitem(DATASETS, "clip_list", new_benchmark.ClipList)
    classes = sorted(path.name for path in (clip_sample / "clips").iterdir())
    (tmp_path / "classes.txt").write_text("\n".join(classes), "utf-8")
    for split, name in (("train", "trainlist01.txt"), ("val", "testlist01.txt")):
        lines = (clip_sample / "annotations/ucf101" / name).read_text("utf-8").split()
        videos = [line.removesuffix(".mp4") for line in lines if "/" in line]
        clips = [{"video": video, "label": video.partition("/")[0]} for video in videos]
        (tmp_path / f"{split}.json").write_text(json.dumps(clips), "utf-8")
    path = tmp_path / "clip_list.yaml"
    path.write_text(f"data: {{kind: clip_list, videos: {clip_sample}/clips, annotations: {tmp_path}}}\n", "utf-8")
    return path


def test_it_is_one_short_file() -> None:
    assert len(Path(new_benchmark.__file__).read_text("utf-8").splitlines()) < 80


def test_the_tools_train_and_evaluate_on_it(config: Path, tmp_path: Path) -> None:
    trained, tested = tmp_path / "trained", tmp_path / "tested"
    assert train_net.main(["--config", str(config), "--output", str(trained), *TINY]) == 0
    checkpoint = trained / "checkpoints/last.pt"
    argv = ["--config", str(trained / "config.yaml"), "--checkpoint", str(checkpoint), "--output", str(tested)]
    assert test_net.main(argv) == 0
    first, second = (
        json.loads((run / "results.json").read_text("utf-8"))["classification"] for run in (trained, tested)
    )
    assert first["top1"] == second["top1"] and 0 <= first["top1"] <= 1
    assert first["clips"] == len(json.loads((tmp_path / "val.json").read_text("utf-8")))


def test_an_unknown_kind_is_refused_with_the_known_ones(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        train_net.main(["--config", str(config), "--output", str(tmp_path / "run"), "data.kind=clip_lists"])
    message = capsys.readouterr().err
    assert stop.value.code == 2
    assert "data.kind: 'clip_lists' is not a known benchmark; known are ava, " in message and "clip_list" in message
