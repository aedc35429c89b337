"""Predict, correct three mistakes in the page, import the result, and fine-tune on it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ava_eval
from avdet.cli import detect_actions, import_annotations, train_net, visualize
from tests.inference.tiny_detector import two_persons
from tests.visualization.player.player_page import Player

TIMES_S = [1.0, 2.0, 3.0]


@pytest.fixture
def work(tmp_path: Path, sample: Path, action_checkpoint: str) -> Path:
    """clips/a.mp4 and clips/b.mp4, the boxes of both, and the detections of a in out/."""
    (tmp_path / "clips").mkdir()
    for name, video in zip("ab", sorted((sample / "videos").iterdir()), strict=False):
        shutil.copy(video, tmp_path / f"clips/{name}.mp4")
    boxes = pd.concat([two_persons(name, TIMES_S) for name in "ab"])
    boxes.to_csv(tmp_path / "boxes.csv", index=False, header=False)
    argv = [str(tmp_path / "clips/a.mp4"), "--checkpoint", action_checkpoint, "--boxes", str(tmp_path / "boxes.csv")]
    assert detect_actions.main([*argv, "--no-video", "--output", str(tmp_path / "out")]) == 0
    return tmp_path


def correct(player: Player, work: Path) -> list[str]:
    """Deletes a label, adds one, and moves a box, all at the first keyframe; returns the CSV's lines."""
    page = player.page
    page.click("#edit-next")
    player.wait_until("document.querySelector('#edit .state').textContent.startsWith('keyframe 0:01.0')")
    deleted = page.locator("#edit li").nth(0).locator(".chip").nth(0)
    deleted.click()
    labels = page.locator("#edit li").nth(1).locator(".chip").all_text_contents()
    names = page.locator("#action-names option").evaluate_all("options => options.map(o => o.value)")
    missing = next(name for name in names if not any(label.startswith(name) for label in labels))
    page.locator("#edit li input").nth(1).fill(missing)
    page.locator("#edit li input").nth(1).press("Tab")
    page.locator("#edit li .person").nth(1).click()
    page.keyboard.press("Shift+ArrowLeft")
    page.click("#edit-acceptAll")
    with page.expect_download() as download:
        page.click("#edit-download")
    download.value.save_as(work / "corrected.csv")
    return (work / "corrected.csv").read_text(encoding="utf-8").splitlines()


def score_between(scores: pd.Series[float]) -> float:
    """A score of two decimals that divides the scores and is near none of them, because the page rounds them."""
    low, high = scores.quantile([0.25, 0.75])
    hundredths = [k / 100 for k in range(101) if low < k / 100 < high]
    return max(hundredths, key=lambda score: (scores - score).abs().min())


def test_corrected_detections_train_a_model(
    browser: Any,  # noqa: ANN401
    work: Path,
    tiny_config_file: str,
    action_checkpoint: str,
) -> None:
    detections = ava_eval.read_detections(work / "out/detections.csv")
    min_score, label_map = score_between(detections["score"]), work / "out/label_map.txt"
    proposed = detections[detections["score"] >= min_score]
    argv = [str(work / "clips/a.mp4"), "--detections", str(work / "out/detections.csv"), "--label-map", str(label_map)]
    options = ["--edit", "--player", str(work / "page.html"), "--min-score", str(min_score)]
    assert visualize.main([*argv, *options]) == 0
    player = Player(browser, work / "page.html")
    lines = correct(player, work)
    player.close()

    corrected = ava_eval.read_ground_truth(work / "corrected.csv")
    assert sorted(set(corrected["timestamp"])) == TIMES_S and len(corrected) == len(proposed)
    first = corrected[corrected["timestamp"] == 1.0].drop_duplicates("person_id")
    assert first["x1"].tolist() == pytest.approx([0.05, 0.545], abs=1e-6)  # the second box was at 0.55

    imported = work / "custom"
    argv = [str(work / "corrected.csv"), "--videos", str(work / "clips"), "--label-map", str(label_map)]
    assert import_annotations.main([*argv, "--output", str(imported), "--val-fraction", "0"]) == 0
    assert len(pd.read_csv(imported / "train.csv", header=None)) == len(lines) - 1

    (imported / "val.csv").write_text("b,2.0,0.05,0.1,0.45,0.9,1,0\n")
    tables = ["data.train_csv=train.csv", "data.val_csv=val.csv", "data.label_map=classes.txt"]
    tables += ["data.train_excluded=null", "data.val_excluded=null", f"data.val_boxes={work / 'boxes.csv'}"]
    places = [f"data.videos={work / 'clips'}", f"data.annotations={imported}", f"model.weights={action_checkpoint}"]
    settings = [*places, *tables, "train.epochs=1", "train.warmup_epochs=0", "train.batch_size=2", "train.eval_every=1"]
    assert train_net.main(["--config", tiny_config_file, "--output", str(work / "run"), *settings]) == 0
    lines = (work / "run/metrics.jsonl").read_text().splitlines()
    assert any("loss/action" in json.loads(line) for line in lines)
