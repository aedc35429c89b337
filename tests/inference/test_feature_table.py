from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from avdet.inference.feature_table import FeatureTable, feature_files

VECTORS = np.array([[0.5, 1 / 3], [2.0, -1.0]], np.float32)


def table() -> FeatureTable:
    return FeatureTable(pd.DataFrame({"start_s": [0.25, 2.0], "end_s": [1.5, 3.5]}), VECTORS)


def test_npy_has_its_times_beside_it(tmp_path: Path) -> None:
    table().write(tmp_path, "a", "npy")
    vectors, times = feature_files(tmp_path, "a", "npy")
    np.testing.assert_array_equal(np.load(vectors), VECTORS)
    pd.testing.assert_frame_equal(pd.read_csv(times), table().rows)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.npy"]


def test_parquet_has_both(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    table().write(tmp_path, "a", "parquet")
    read = pd.read_parquet(feature_files(tmp_path, "a", "parquet")[0])
    np.testing.assert_array_equal(np.stack(list(read["features"])), VECTORS)
    assert read["start_s"].tolist() == [0.25, 2.0] and read["features"][0].dtype == np.float32


def test_a_row_belongs_to_each_vector() -> None:
    with pytest.raises(AssertionError):
        FeatureTable(table().rows, VECTORS[:1])
