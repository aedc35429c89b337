from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from ava_eval import read_ground_truth
from avdet.annotations.importers.rows import ROW_COLUMNS, clean_rows
from avdet.annotations.importers.write_dataset import (
    merge_tables,
    split_videos,
    subsample_keyframes,
    videos_with_shared_ids,
    write_dataset,
)


def table_of(*persons: str, start_s: float = 0.0, step_s: float = 1.0) -> pd.DataFrame:
    """One row per person, at successive times, all in the same box."""
    rows = [("garden", start_s + step_s * k, 0.0, 0.0, 1.0, 1.0, "sit", person) for k, person in enumerate(persons)]
    return clean_rows(pd.DataFrame(rows, columns=ROW_COLUMNS), Path("a.csv"), Counter())


def test_persons_are_numbered_over_all_files() -> None:
    """Ann and Bob are two persons, although each is the first of a file; Cy is one person in both files."""
    tables = [table_of("Ann", "Cy"), table_of("Bob", "Cy", start_s=0.5)]
    assert merge_tables(tables, Counter())["person_id"].tolist() == [0, 1, 2, 2]
    assert videos_with_shared_ids(tables) == ["garden"] and videos_with_shared_ids(tables[:1]) == []


def test_rows_without_an_id_are_duplicates_of_rows_with_one() -> None:
    tables = [table_of("", "Ann", step_s=0.0), table_of("Ann", "Bob", step_s=0.0)]
    omitted: Counter[str] = Counter()
    assert merge_tables(tables, omitted)["person_id"].tolist() == [0, 1] and omitted["duplicate rows"] == 2


def test_subsampled_keyframes_are_at_least_the_interval_apart() -> None:
    table = pd.DataFrame({"video": ["a"] * 5 + ["b"], "timestamp": [0.2, 0.7, 1.2, 1.3, 2.2, 0.0]})
    assert subsample_keyframes(table.assign(action="sit"), 1.0)["timestamp"].tolist() == [0.2, 1.2, 2.2, 0.0]
    actions = ["", "", "sit", "sit", "", ""]  # keyframes without persons displace no others
    assert subsample_keyframes(table.assign(action=actions), 1.0)["timestamp"].tolist() == [0.2, 1.2, 2.2, 0.0]
    assert subsample_keyframes(table.assign(action=actions), 2.1)["timestamp"].tolist() == [0.2, 1.2, 0.0]


def test_the_val_split_is_a_random_fraction_of_the_videos() -> None:
    table = pd.DataFrame({"video": [f"v{k}" for k in range(10)], "action": ["sit"] * 9 + ["jump"]})
    val, one_sided = split_videos(table, 0.2, seed=1)
    assert len(val) == 2 and "v9" not in val and one_sided == ["jump (1 video)"]
    assert split_videos(table[::-1], 0.2, seed=1) == (val, one_sided)
    for fraction in (0.01, 0.99):
        assert len(split_videos(table[:2], fraction, seed=0)[0]) == 1
    with pytest.raises(ValueError, match="one video cannot"):
        split_videos(table[:1], 0.5, seed=0)
    with pytest.raises(ValueError, match="10 videos of one group"):
        split_videos(table, 0.2, seed=0, group_by="^v")


def test_large_times_keep_their_milliseconds(tmp_path: Path) -> None:
    table = table_of("0", "0", start_s=12345.678, step_s=0.04)
    write_dataset(table, set(), tmp_path)
    assert sorted(read_ground_truth(tmp_path / "train.csv")["timestamp"]) == [12345.678, 12345.718]
