"""The settings of section data: one class a kind of data set, all with the same sizes and augmentation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class MediaData(Section):
    """What every kind has. Relative annotation files lie in `annotations`."""

    videos: Path
    annotations: Path
    nominal_fps: float = Field(30.0, gt=0)  # turns a recipe's frames into seconds
    train_short_side: tuple[int, int] = (256, 320)
    train_scale: Literal["uniform", "inverse_uniform"] = "uniform"  # how the short side (or 1 / it) is drawn
    train_crop: int = Field(224, ge=32)
    test_short_side: int = Field(256, ge=32)
    flip: Fraction = 0.5
    colour_jitter: Fraction = 0.4  # brightness, contrast and saturation are scaled by up to this much
    hard_negative_fraction: Fraction = 0.25  # of the synchronisation loss, in the second half of training
    pca_lighting: float = Field(0.1, ge=0)  # spread of the shift along the principal colours
    workers: int = Field(4, ge=0)
    require_all_videos: bool = False  # stop where a video is missing instead of leaving its labels out
    max_bad_clips: int = Field(100, ge=0)  # unreadable training clips that are replaced before training stops
    clip_timeout_s: float = Field(120.0, gt=0, le=86_400)  # a clip that takes longer to read stops the run and is named

    @model_validator(mode="after")
    def _fits(self) -> MediaData:
        low, high = self.train_short_side
        if not self.train_crop <= low <= high:
            raise ValueError(
                f"train_short_side {low}-{high} must rise and hold the crop of {self.train_crop}; "
                "raise it or lower train_crop"
            )
        return self


class AvaData(MediaData):
    """AVA, and everything in its files: people in boxes."""

    kind: Literal["ava"] = "ava"
    videos: Path = Path("data/ava/videos")
    annotations: Path = Path("data/ava/annotations")
    train_csv: Path = Path("ava_train_v2.2.csv")
    val_csv: Path = Path("ava_val_v2.2.csv")
    label_map: Path = Path("ava_action_list_v2.2_for_activitynet_2019.pbtxt")
    train_excluded: Path | None = Path("ava_train_excluded_timestamps_v2.2.csv")
    val_excluded: Path | None = Path("ava_val_excluded_timestamps_v2.2.csv")
    train_boxes: Path | None = None  # detected people that overlap the ground truth, added in training
    val_boxes: Path = Path("ava_val_predicted_boxes.csv")
    min_box_score: Fraction = 0.8  # of the detected people that are classified
    timestamp_offset: Literal["auto"] | float = (
        "auto"  # what the tables call a movie's first second; auto: 0 or AVA's 900
    )
    classes: tuple[str, ...] = ()  # those of the label map that are learned and scored; none named: all
    exclusive_groups: tuple[tuple[str, ...], ...] = ()  # sets of classes of which a person does exactly one: softmax
    repeat_threshold: Fraction = 0.0  # classes in a smaller share of keyframes are seen more often; 0: all equally
    class_weights: Literal["equal", "inverse_sqrt"] = "equal"  # of a class's loss, by its number of rows

    @model_validator(mode="after")
    def _classes_stand_once(self) -> AvaData:
        names = [name for members in self.exclusive_groups for name in members]
        for setting, listed, rule in (
            ("classes", self.classes, "write each class once"),
            ("exclusive_groups", names, "a class is in one set at most"),
        ):
            twice = next((name for name in listed if listed.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"{setting} names {twice!r} twice; {rule}")
        alone = next((members for members in self.exclusive_groups if len(members) < 2), None)
        if alone is not None:
            raise ValueError(
                f"exclusive_groups has a set of {len(alone)}, {list(alone)}; a set needs two classes or more"
            )
        return self


class ClipData(MediaData):
    """Whole clips with labels, and the protocol they are tested by."""

    task: Literal["classification", "rotation", "none"] = (
        "classification"  # the label: the data's own, or how a clip is turned
    )
    colour_jitter: Fraction = 0.0
    pca_lighting: float = Field(0.0, ge=0)
    test_num_clips: int = Field(10, ge=1)  # evenly over each video or action
    test_num_crops: Literal[1, 3] = 3  # the centre square; or three along the longer side
    test_aggregation: Literal["mean", "max"] = "mean"  # of the scores of all views


class KineticsData(ClipData):
    """Kinetics' csv with start and end times, or lists of `path label`."""

    kind: Literal["kinetics"] = "kinetics"
    videos: Path = Path("data/kinetics/videos")
    annotations: Path = Path("data/kinetics/annotations")
    train_csv: Path = Path("kinetics-400_train.csv")
    val_csv: Path = Path("kinetics-400_val.csv")
    label_map: Path = Path("label_map_k400.txt")  # a name a line
    classes: Path | None = None  # a subset by name, as Kinetics-Sounds is


class FoldersData(ClipData):
    """Any folder of classes: train/CLASS/clip.mp4, val/CLASS/clip.mp4 in `videos`."""

    kind: Literal["folders"] = "folders"
    videos: Path = Path("data/own/videos")
    annotations: Path = Path("data/own/videos")
    train_folder: Path = Path("train")
    val_folder: Path = Path("val")


class Ucf101Data(ClipData):
    """UCF101, by its official lists."""

    kind: Literal["ucf101"] = "ucf101"
    videos: Path = Path("data/ucf101/videos")
    annotations: Path = Path("data/ucf101/annotations")
    split: Literal[1, 2, 3] = 1


class Hmdb51Data(ClipData):
    """HMDB51, by its official lists."""

    kind: Literal["hmdb51"] = "hmdb51"
    videos: Path = Path("data/hmdb51/videos")
    annotations: Path = Path("data/hmdb51/annotations")
    split: Literal[1, 2, 3] = 1


class EpicData(ClipData):
    """EPIC-Kitchens-55 or -100: untrimmed videos, verbs and nouns."""

    kind: Literal["epic"] = "epic"
    videos: Path = Path("data/epic/videos")
    annotations: Path = Path("data/epic/annotations")
    train_csv: Path = Path("EPIC_100_train.csv")
    val_csv: Path = Path("EPIC_100_validation.csv")
    verb_classes: Path = Path("EPIC_100_verb_classes.csv")
    noun_classes: Path = Path("EPIC_100_noun_classes.csv")
    val_participants: tuple[str, ...] = ()  # whose rows of train_csv are held out as val; val_csv is not read then
    predict: tuple[Literal["verb", "noun"], ...] = Field(
        ("verb", "noun"), min_length=1
    )  # on one trunk, or a model each
    unseen_participants: Path | None = Path("EPIC_100_unseen_participant_ids_validation.csv")
    tail_verbs: Path | None = Path("EPIC_100_tail_verbs.csv")
    tail_nouns: Path | None = Path("EPIC_100_tail_nouns.csv")
    many_shot_verbs: Path | None = None
    many_shot_nouns: Path | None = None
    many_shot_actions: Path | None = None


class CharadesData(ClipData):
    """Charades: several actions a video, each with its times."""

    kind: Literal["charades"] = "charades"
    videos: Path = Path("data/charades/videos")
    annotations: Path = Path("data/charades/annotations")
    train_csv: Path = Path("Charades_v1_train.csv")
    val_csv: Path = Path("Charades_v1_test.csv")
    label_map: Path = Path("Charades_v1_classes.txt")
    test_aggregation: Literal["mean", "max"] = "max"


Clips = KineticsData | FoldersData | Ucf101Data | Hmdb51Data | EpicData | CharadesData
Data = Annotated[AvaData | Clips, Field(discriminator="kind")]
KINDS: dict[str, type[MediaData]] = {
    "ava": AvaData,
    "kinetics": KineticsData,
    "folders": FoldersData,
    "ucf101": Ucf101Data,
    "hmdb51": Hmdb51Data,
    "epic": EpicData,
    "charades": CharadesData,
}
