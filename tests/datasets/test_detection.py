from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ava_eval.ties import Ties
from avdet.config import Config
from avdet.data.keyframes import keyframes_to_score, labelled_keyframes
from avdet.datasets.ava import Ava, AvaConfig
from avdet.datasets.dataset import evenly_spaced, require_data


def ava(config: Config, **settings: object) -> Ava:
    assert isinstance(config.data, AvaConfig)
    return Ava(config.data.model_copy(update=settings))


def test_missing_videos_are_counted_or_stop_the_run(
    tiny_config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    benchmark = ava(tiny_config)
    names = sorted(set(benchmark.read("train").rows["video"]))
    for path in benchmark.config.videos.iterdir():
        if path.stem != names[0]:
            (tmp_path / path.name).symlink_to(path)
    with caplog.at_level("INFO"):
        split = ava(tiny_config, videos=tmp_path).read("train")
    assert set(split.rows["video"]) == set(names[1:])
    assert "3 videos expected, 2 found; 1 missing" in caplog.text
    with pytest.raises(ValueError, match=f"{names[0]} not in .*or set data.require_all_videos=false"):
        ava(tiny_config, videos=tmp_path, require_all_videos=True).read("train")


def test_missing_files_are_named_with_the_next_step(tiny_config: Config) -> None:
    data = ava(tiny_config, val_boxes=Path("no.csv"))
    with pytest.raises(ValueError, match=r"person boxes of val .*no\.csv \(data\.val_boxes\).*detect_people"):
        require_data(data)
    with pytest.raises(ValueError, match=r"no\.csv \(data\.val_csv\).*docs/data\.md.*--sample"):
        require_data(ava(tiny_config, val_csv=Path("no.csv")))
    require_data(data, ("train",))


def test_a_subset_of_classes_with_exclusive_groups(tiny_config: Config) -> None:
    benchmark = ava(tiny_config, classes=("walk", "sit", "stand"), exclusive_groups=(("stand", "sit"),))
    classes = benchmark.class_names()
    assert classes.names == ("sit", "stand", "walk")
    assert benchmark.exclusive_groups(classes) == [[1, 0]]


def test_all_classes_are_trained_and_those_of_the_label_map_scored(tiny_config: Config, tmp_path: Path) -> None:
    trained = ava(tiny_config).label_map()
    (tmp_path / "scored.txt").write_text("".join(f"{i}: {name}\n" for i, name in list(trained.items())[2:]))
    names = {"label_map": tmp_path / "scored.txt", "train_label_map": ava(tiny_config).config.label_map}
    benchmark = ava(tiny_config, **names)
    assert benchmark.class_names().label_map == trained
    assert set(benchmark.scored_classes().ids) == set(list(trained)[2:])
    split = benchmark.read("val")
    perfect = split.ground_truth[split.ground_truth["action_id"] > 0].assign(score=1.0)
    metrics = benchmark.metrics(perfect, split, protocol="official", iou=0.5)
    assert list(metrics.content["AP"]) == list(trained.values())[2:] and metrics.content["counts"]["detections"] < len(
        perfect
    )
    with pytest.raises(ValueError, match=r"data\.label_map has none of the trained classes"):
        ava(tiny_config, **names, classes=(next(iter(trained.values())),)).scored_classes()


def test_boxes_for_training_are_used_if_the_file_exists(tiny_config: Config, caplog: pytest.LogCaptureFixture) -> None:
    named = ava(tiny_config, train_boxes=Path("ava_train_predicted_boxes.csv"))
    boxes = named.person_boxes("train")
    assert boxes is not None and len(boxes) and not caplog.text
    missing = ava(tiny_config, train_boxes=Path("no.csv"))
    require_data(missing)
    assert missing.person_boxes("train") is None and "train: no no.csv, so training has labelled" in caplog.text


def test_protocols_score_keyframes_without_labels_or_not(tiny_config: Config, tmp_path: Path) -> None:
    """Boxes at 1.5 s, which the ground truth does not list, and at an excluded time."""
    benchmark = ava(tiny_config)
    split, boxes = benchmark.read("val"), benchmark.person_boxes("val")
    assert boxes is not None
    first = boxes.iloc[:1]
    added = pd.concat([boxes, first.assign(timestamp=1.5), first.assign(timestamp=2.5)])
    added.to_csv(tmp_path / "boxes.csv", index=False)
    (tmp_path / "excluded.csv").write_text(f"{first['video'].item()},2.5\n")
    named = ava(
        tiny_config, val_boxes=tmp_path / "boxes.csv", val_excluded=tmp_path / "excluded.csv", min_box_score=0.0
    )
    truth = labelled_keyframes(split.rows, named.class_names(), split.offsets)
    listed, all_ = keyframes_to_score(truth, named), keyframes_to_score(truth, named, unlabelled=True)
    video = first["video"].item()
    extra = set(zip(all_.videos, all_.times_s, strict=True)) - set(zip(listed.videos, listed.times_s, strict=True))
    assert (video, 1.5) in extra and (video, 2.5) not in extra
    assert len(all_.people) - len(listed.people) >= 1


def test_scores_are_not_rounded_and_ties_follow_the_setting(tiny_config: Config) -> None:
    """Each false positive scores a millionth less than the true ones; with four decimals they would tie."""
    benchmark = ava(tiny_config)
    split = benchmark.read("val")
    truth = split.ground_truth[split.ground_truth["action_id"] > 0]
    score = np.float32(0.5)
    found = truth.assign(score=score)
    missed = truth.assign(score=score - np.float32(1e-6), x1=5.0, x2=6.0)

    def mean_ap(detections: pd.DataFrame, ties: Ties = "expected") -> float:
        metrics = benchmark.metrics(detections, split, protocol="mmaction2", iou=0.5, ties=ties)
        assert metrics.score is not None
        return metrics.score

    assert mean_ap(pd.concat([found, missed])) == 1.0
    tied = pd.concat([found, missed.assign(score=score)])
    assert mean_ap(tied, "worst") < mean_ap(tied) < mean_ap(tied, "best") == 1.0


def test_places_are_spaced_from_the_first_to_the_last() -> None:
    assert np.flatnonzero(evenly_spaced(7, 3)).tolist() == [0, 3, 6]
    assert evenly_spaced(2, 5).tolist() == [True, True]
    assert not len(evenly_spaced(0, 5))


def test_overfitting_uses_the_same_keyframes_in_both_splits(tiny_config: Config) -> None:
    benchmark = ava(tiny_config, overfit_clips=3, val_csv=Path("no.csv"), val_boxes=Path("no.csv"))
    require_data(benchmark)
    train, val = benchmark.read("train"), benchmark.read("val")
    pd.testing.assert_frame_equal(train.rows, val.rows)
    keyframes = train.rows.drop_duplicates(["video", "timestamp"])
    assert len(keyframes) == 3 and keyframes["video"].nunique() == 3
    assert train.ground_truth is train.rows
