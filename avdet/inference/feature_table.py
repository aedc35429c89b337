"""The files of a video's feature vectors: npy with a CSV of their times beside it, or one parquet file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from avdet.atomic_write import atomic_write
from avdet.inference.predictions import PersonPredictions
from avdet.inference.windows import Windows

__all__ = ["FeatureFormat", "FeatureTable", "feature_files"]

FeatureFormat = Literal["npy", "parquet"]


@dataclass(frozen=True)
class FeatureTable:
    """Vectors of one video.

    vectors: (N, D) float32. rows: a row per vector: start_s and end_s of a window; timestamp, box, score and person_id
    of a person.
    """

    rows: pd.DataFrame
    vectors: NDArray[np.float32]

    def __post_init__(self) -> None:
        assert self.vectors.ndim == 2 and self.vectors.dtype == np.float32
        assert len(self.rows) == len(self.vectors)

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of_windows(cls, windows: Windows, vectors: NDArray[np.float32]) -> FeatureTable:
        """Vectors of the windows, in their order."""
        return cls(pd.DataFrame({"start_s": windows.start_s, "end_s": windows.end_s}), vectors)

    @classmethod
    def of_persons(cls, predictions: PersonPredictions, video: str) -> FeatureTable:
        """Vectors of the scored persons, by time."""
        scored = predictions.select(predictions.scored)
        return cls(scored.box_rows(video).drop(columns="video"), scored.features)

    def write(self, folder: Path, name: str, feature_format: FeatureFormat) -> None:
        """Writes `feature_files`."""
        files = feature_files(folder, name, feature_format)
        if feature_format == "parquet":
            with atomic_write(files[0]) as path:
                self.rows.assign(features=list(self.vectors)).to_parquet(path, index=False)
            return
        with atomic_write(files[1]) as path:
            self.rows.to_csv(path, index=False, float_format="%.9g")
        with atomic_write(files[0]) as path, path.open("wb") as file:
            np.save(file, self.vectors)


def feature_files(folder: Path, name: str, feature_format: FeatureFormat) -> list[Path]:
    """The files of a video, the vectors first."""
    suffixes = ("parquet",) if feature_format == "parquet" else ("npy", "csv")
    return [folder / f"{name}.{suffix}" for suffix in suffixes]
