from __future__ import annotations

from pathlib import Path

import pytest

from avdet.config import Config
from avdet.datasets.ava import Ava, AvaConfig
from avdet.datasets.dataset import require_data


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
