"""ActionDetector, the Python API: a video and its persons in, their actions out."""

from __future__ import annotations

from collections.abc import Container, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pandas as pd
import torch

from avdet.data.build import build_clip_extractor
from avdet.data.clip_extractor import ClipExtractor
from avdet.datasets.class_names import ClassNames
from avdet.inference.keyframe_reader import read_keyframes
from avdet.inference.load_network import Network, load_network
from avdet.inference.predictions import PersonPredictions
from avdet.inference.stages import (
    InferenceSettings,
    Plan,
    Source,
    boxes_of_video,
    extract_clips,
    require_boxes_of,
    score_persons,
    source_name,
    with_persons,
)
from avdet.media.array_video import ArrayVideo
from avdet.models.detect import Predicts
from avdet.models.inference_model import Precision
from avdet.overlap import StageTimes, prefetch, prefetch_chunks
from avdet.people.build_detector import build_person_detector
from avdet.people.person_detector import PersonDetector
from avdet.structures import Clip, ClipBatch, PersonBoxes

__all__ = ["ActionDetector"]


class ActionDetector:
    """Detects the actions of persons in videos, from frames and audio.

    >>> detector = ActionDetector.from_checkpoint("runs/ava-avslowfast/checkpoints/best.pt")
    >>> table = detector.detect("clip.mp4")
    >>> table = detector.detect("clip.mp4", boxes=ava_eval.read_boxes("boxes.csv"))
    """

    def __init__(
        self,
        model: Predicts,
        classes: ClassNames,
        extractor: ClipExtractor,
        *,
        short_side: int,
        device: torch.device,
        person_detector: PersonDetector | None = None,
    ) -> None:
        """person_detector: used for videos without boxes; None builds the default one on first use."""
        self.model = model
        self.classes = classes
        self.extractor = extractor
        self.short_side = short_side
        self.device = device
        self._person_detector = person_detector
        model.eval()

    @classmethod
    def from_checkpoint(
        cls,
        path: str | Path,
        *,
        device: str | None = None,
        person_detector: PersonDetector | None = None,
        precision: Precision = "auto",
    ) -> ActionDetector:
        """Loads a checkpoint of train_net, which holds all settings, or a public one of another code base as it is.

        device: by default the GPU if there is one. precision: see `inference_model`.
        """
        network = load_network(path, task="detection", device=device, precision=precision)
        return cls.from_network(network, person_detector=person_detector)

    @classmethod
    def from_network(cls, network: Network, *, person_detector: PersonDetector | None = None) -> ActionDetector:
        """The detector with a network of task "detection"."""
        return cls(
            network.model,
            network.classes["action"],
            build_clip_extractor(network.config),
            short_side=network.config.data.test_short_side,
            device=network.device,
            person_detector=person_detector,
        )

    def detect(
        self,
        videos: Source | Sequence[Source],
        boxes: pd.DataFrame | None = None,
        *,
        keyframe_rate: float = 1.0,
        start_s: float = 0.0,
        end_s: float | None = None,
        min_box_score: float | None = None,
        features: bool = False,
        batch_size: int = 8,
    ) -> pd.DataFrame:
        """One row per person and class: video, timestamp, x1, y1, x2, y2, action_id, score, person_id, action.

        videos: files, folders of extracted frames and arrays (`ArrayVideo`), one or several.
        boxes: a table with the columns of `ava_eval.read_boxes`, at any times; score and person_id may be missing. A
        video's rows are those with its file name, with or without suffix. None detects persons at `keyframe_rate`
        keyframes per second.
        min_box_score: persons with a lower box score are left out; None is 0 for given boxes, else the detector's
        `min_score`.
        features: adds a column `features`, the input of the last layer, (D,) float32 per person.
        batch_size: keyframes at a time, which bounds the memory.
        Raises ValueError (DecodeError) for a video that cannot be read, and for boxes of other videos or seconds alone.
        """
        if min_box_score is None:
            min_box_score = self.person_detector.min_score if boxes is None else 0.0
        settings = InferenceSettings(keyframe_rate, start_s, end_s, min_box_score, batch_size)
        sources = [videos] if isinstance(videos, str | Path | ArrayVideo) else list(videos)
        if boxes is not None:
            require_boxes_of(boxes, sources)
        tables = [self._table(source, boxes, settings, features=features) for source in sources]
        if not tables:
            raise ValueError("the list of videos is empty; give one or more")
        return pd.concat(tables, ignore_index=True)

    def plan(
        self, source: Source, boxes: pd.DataFrame | None = None, settings: InferenceSettings | None = None
    ) -> Plan:
        """The keyframes of a video and the detector of its persons. Raises ValueError as `detect` does."""
        settings = settings or InferenceSettings()
        table = None if boxes is None else boxes_of_video(boxes, source)
        chunks = settings.chunks(source, table, self.extractor.options)
        return Plan(source, settings, chunks, self.person_detector if table is None else table)

    def chunks(
        self, plan: Plan, *, features: bool = False, done: Container[int] = (), times: StageTimes | None = None
    ) -> Iterator[tuple[int, PersonPredictions]]:
        """Yields (number, predictions) for each chunk that is not `done`, without linked person ids.

        A thread decodes the next chunk meanwhile; memory does not grow with the length of the video.
        times: how long the stages "decode", "persons" and "actions" are busy.

        >>> for number, predictions in detector.chunks(detector.plan("two_hours.mp4")): ...
        """
        times = times or StageTimes()
        todo = [(number, times_s) for number, times_s in enumerate(plan.chunks) if number not in done]
        found = self._clips_and_persons(plan, [times_s for _, times_s in todo], times)
        if self.device.type != "cpu":  # on a CPU both networks use all cores
            found = prefetch(found)
        min_box_score = plan.settings.min_box_score
        with closing(found):
            for (number, times_s), (clips, persons) in zip(todo, found, strict=True):
                with times("actions"):
                    batch = with_persons(clips, persons, min_box_score)
                    predictions = self.score_persons(times_s, persons, batch, min_box_score, features=features)
                yield number, predictions

    @property
    def person_detector(self) -> PersonDetector:
        """Detects the persons of videos without boxes."""
        if self._person_detector is None:
            self._person_detector = build_person_detector(device=str(self.device))
        return self._person_detector

    @person_detector.setter
    def person_detector(self, detector: PersonDetector) -> None:
        self._person_detector = detector

    def extract_clips(
        self, source: Source, times_s: Sequence[float], persons: Sequence[PersonBoxes], min_box_score: float
    ) -> ClipBatch | None:
        """Clips of the keyframes that have a box with score >= `min_box_score`; None if there are none."""
        return extract_clips(
            source, times_s, persons, self.extractor, short_side=self.short_side, min_box_score=min_box_score
        )

    def score_persons(
        self,
        times_s: Sequence[float],
        persons: Sequence[PersonBoxes],
        clips: ClipBatch | None,
        min_box_score: float,
        *,
        features: bool = False,
    ) -> PersonPredictions:
        """All persons; those below `min_box_score` keep NaN scores. `clips`: from `extract_clips`."""
        return score_persons(
            self.model, times_s, persons, clips, num_classes=len(self.classes), min_box_score=min_box_score,
            device=self.device, features=features,
        )  # fmt: skip

    def _clips_and_persons(
        self, plan: Plan, chunks: Sequence[Sequence[float]], times: StageTimes
    ) -> Generator[tuple[list[Clip], list[PersonBoxes]], None, None]:
        """Yields the clips and all persons of each chunk's keyframes."""
        if not chunks:
            return
        keyframes = read_keyframes(
            plan.source, [t for times_s in chunks for t in times_s], self.extractor, short_side=self.short_side,
            needs_frames=plan.person_detector.needs_frames,
        )  # fmt: skip
        read = prefetch_chunks(times.each("decode", keyframes), [len(times_s) for times_s in chunks])
        with closing(read):
            for chunk in read:
                images, clips = zip(*chunk, strict=True)
                with times("persons"):
                    persons = plan.person_detector(images)
                yield list(clips), persons

    def _table(
        self, source: Source, boxes: pd.DataFrame | None, settings: InferenceSettings, *, features: bool
    ) -> pd.DataFrame:
        chunks = [chunk for _, chunk in self.chunks(self.plan(source, boxes, settings), features=features)]
        return PersonPredictions.concatenate(chunks).linked().action_rows(source_name(source), self.classes)
