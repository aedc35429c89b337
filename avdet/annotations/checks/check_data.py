"""Checks any data set before training."""

from __future__ import annotations

from collections.abc import Iterator

from avdet.annotations.checks import Finding
from avdet.annotations.checks.check_classification import check_classification
from avdet.annotations.checks.check_detection import check_detection
from avdet.datasets import AnyDataset
from avdet.datasets.dataset import SPLITS
from avdet.datasets.detection import DetectionDataset

__all__ = ["check_data", "refuse_faulty"]


def check_data(dataset: AnyDataset) -> Iterator[Finding]:
    """Yields all findings. A file that cannot be read ends the check with an error."""
    return check_detection(dataset) if isinstance(dataset, DetectionDataset) else check_classification(dataset)


def refuse_faulty(dataset: AnyDataset) -> None:
    """Raises ValueError with the first error of a quick check, which decodes no video.

    Only of whole detection data sets."""
    if not isinstance(dataset, DetectionDataset) or dataset.config.overfit_clips:
        return
    for finding in check_detection(dataset, thorough=False):
        if finding.level == "error":
            tables: dict[str, str] = {split: str(dataset.files(split)[f"data.{split}_csv"]) for split in SPLITS}
            subject = tables.get(finding.about, finding.about)
            raise ValueError(f"{subject}: {finding.message} (tools/check_data.py lists all findings)")
