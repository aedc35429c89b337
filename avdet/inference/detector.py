"""A video and its people in, what they do out: the Python API."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from pathlib import Path

import pandas as pd
import torch

from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.config import parse_config
from avdet.data.build import build_clip_extractor, build_exclusive
from avdet.data.clip_extractor import ClipExtractor
from avdet.datasets.data_settings import AvaData
from avdet.datasets.keyframes import ClassNames
from avdet.inference.predictions import PersonPredictions
from avdet.inference.stages import GivenPeople, Plan, Source, Wishes, extract_clips, judge, name_of, pictures_at
from avdet.media.array_video import ArrayVideo
from avdet.models.build import build_model
from avdet.models.detect import Predicts
from avdet.people.build_detector import build_person_detector
from avdet.people.person_detector import PersonDetector
from avdet.structures import ClipBatch, PersonBoxes

__all__ = ["ActionDetector", "ArrayVideo", "Wishes"]


class ActionDetector:
    """Says what people do, by looking and listening.

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
        people: PersonDetector | None = None,
    ) -> None:
        """people: who finds them where no boxes are given; None takes `build_person_detector`'s, once it is needed."""
        self.model = model
        self.classes = classes
        self.extractor = extractor
        self.short_side = short_side
        self.device = device
        self._people = people
        model.eval()

    @classmethod
    def from_checkpoint(
        cls, path: str | Path, *, device: str | None = None, people: PersonDetector | None = None
    ) -> ActionDetector:
        """The checkpoint says everything: network, classes, clip length, sound. On the GPU where there is one."""
        checkpoint = load_checkpoint(Path(path))
        if "people" in checkpoint.config:
            raise ValueError(f"{path} finds people; --people takes it, and the checkpoint is one of train_net's")
        config = parse_config(checkpoint.config)
        if not isinstance(config.data, AvaData):
            raise ValueError(
                f"{path} classifies whole clips ({config.data.kind}) and knows no people; train a detector from it "
                "with model.weights, as configs/ava does"
            )
        where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        classes = ClassNames.from_label_map(checkpoint.class_names)
        exclusive = build_exclusive(config.ava, classes)
        model = build_model(config.model, num_classes=len(classes), head="roi", exclusive=exclusive)
        model.load_state_dict(checkpoint.model_state)
        short_side = config.data.test_short_side
        return cls(
            model.to(where), classes, build_clip_extractor(config), short_side=short_side, device=where, people=people
        )

    def detect(
        self,
        videos: Source | Sequence[Source],
        boxes: pd.DataFrame | None = None,
        *,
        rate: float = 1.0,
        start_s: float = 0.0,
        end_s: float | None = None,
        min_box_score: float | None = None,
        features: bool = False,
        batch_size: int = 8,
    ) -> pd.DataFrame:
        """A row a person and class: video, timestamp, x1, y1, x2, y2, action_id, score, person_id, action.

        videos: files, folders of extracted frames and arrays (`ArrayVideo`), one or several.
        boxes: as `ava_eval.read_boxes` gives them; of its rows, those of a video count (its file's name without
        suffix), at any times and as many a second as wanted. None looks for people `rate` times a second.
        min_box_score: people below it are left out; None is 0 for boxes, and 0.8 for people who are looked for.
        features: a column more, `features`, has what the last layer saw of the person, (D,) float32.
        Raises ValueError (DecodeError) for a video that cannot be read, for boxes past its end and where they are none.
        """
        if min_box_score is None:
            min_box_score = 0.8 if boxes is None else 0.0
        wishes = Wishes(rate, start_s, end_s, min_box_score, batch_size)
        sources = [videos] if isinstance(videos, str | Path | ArrayVideo) else list(videos)
        tables = [self._table(source, boxes, wishes, features=features) for source in sources]
        if not tables:
            raise ValueError("there is no video in the list; give one or more")
        return pd.concat(tables, ignore_index=True)

    def plan(self, source: Source, boxes: pd.DataFrame | None = None, wishes: Wishes | None = None) -> Plan:
        """When to look at a video, and who says where its people are. ValueError as `detect` has it."""
        wishes = wishes or Wishes()
        given = None if boxes is None else GivenPeople(boxes, name_of(source))
        return Plan(source, wishes, wishes.chunks(source, given), given or self.people)

    def chunks(
        self, plan: Plan, *, name: str | None = None, features: bool = False, done: Container[int] = ()
    ) -> Iterator[tuple[int, PersonPredictions]]:
        """A video's people chunk by chunk, without ids, in memory that does not grow with the video.

        Each chunk comes with its number; those that are `done` are left out.

        >>> for number, people in detector.chunks(detector.plan("two_hours.mp4")): ...
        """
        for number, times_s in enumerate(plan.chunks):
            if number not in done:
                yield number, self._chunk(plan, times_s, name or name_of(plan.source), features=features)

    @property
    def people(self) -> PersonDetector:
        """Who finds people where no boxes are given."""
        if self._people is None:
            self._people = build_person_detector(device=str(self.device))
        return self._people

    def cut(
        self, source: Source, name: str, times_s: Sequence[float], people: Sequence[PersonBoxes], min_box_score: float
    ) -> ClipBatch | None:
        """The clips of the keyframes with somebody sure enough; None where there is none."""
        return extract_clips(
            source, name, times_s, people, self.extractor, short_side=self.short_side, min_box_score=min_box_score
        )

    def judge(
        self,
        times_s: Sequence[float],
        people: Sequence[PersonBoxes],
        clips: ClipBatch | None,
        min_box_score: float,
        *,
        features: bool = False,
    ) -> PersonPredictions:
        """Everybody, with what those do who are sure enough; `clips` are `cut`'s of the same people."""
        return judge(
            self.model, times_s, people, clips, num_classes=len(self.classes), min_box_score=min_box_score,
            device=self.device, features=features,
        )  # fmt: skip

    def _chunk(self, plan: Plan, times_s: Sequence[float], name: str, *, features: bool) -> PersonPredictions:
        least = plan.wishes.min_box_score
        found = plan.people(pictures_at(plan.source, name, times_s, needs_frames=plan.people.needs_frames))
        return self.judge(times_s, found, self.cut(plan.source, name, times_s, found, least), least, features=features)

    def _table(self, source: Source, boxes: pd.DataFrame | None, wishes: Wishes, *, features: bool) -> pd.DataFrame:
        parts = [part for _, part in self.chunks(self.plan(source, boxes, wishes), features=features)]
        return PersonPredictions.concatenate(parts).linked().action_rows(name_of(source), self.classes)
