"""Columns of AVA's CSV files, the range of each column, and the error for files that break these rules."""

from __future__ import annotations

from dataclasses import dataclass

KEYFRAME_COLUMNS = ["video", "timestamp"]
BOX_COLUMNS = ["x1", "y1", "x2", "y2"]  # corners, as fractions of the frame's width and height
_MAX_ID = 2**31 - 1
# Larger absolute values are mistakes; they would also overflow float32 or microseconds in int64.
MAX_VALUES = {
    "timestamp": 1e9,
    **dict.fromkeys(BOX_COLUMNS, 1e6),
    "score": 1e30,
    **dict.fromkeys(("action_id", "person_id", "action_id_or_score", "score_or_person_id"), _MAX_ID),
}
MISSING_ID = {"action_id": 0, "person_id": -1}  # stands in tables for a field that the file leaves out
# A file with a larger coordinate is in pixels: normalised ones stay near 0..1, even for boxes that leave the frame.
PIXEL_THRESHOLD = 2.0

# Names of the columns in header lines.
COLUMN_ALIASES = {
    "video": {"video", "video_id", "videoid", "video_name", "name", "clip", "movie", "file", "filename", "file_name",
              "video_file", "video_filename", "videoname", "clip_id", "clip_name", "movie_id", "path", "video_path"},
    "timestamp": {"timestamp", "time", "second", "seconds", "sec", "keyframe", "frame_timestamp", "frame_sec",
                  "frame_time", "timestamp_s", "middle_frame_timestamp", "t", "time_s", "time_sec", "timestamp_sec",
                  "time_stamp", "timecode", "time_in_seconds"},
    "x1": {"x1", "xmin", "x_min", "left", "person_box_x1", "entity_box_x1", "xtl", "x_1", "bbox_x1", "box_x1", "x_left",
           "bb_left", "bbox_left", "minx", "min_x"},
    "y1": {"y1", "ymin", "y_min", "top", "person_box_y1", "entity_box_y1", "ytl", "y_1", "bbox_y1", "box_y1", "y_top",
           "bb_top", "bbox_top", "miny", "min_y"},
    "x2": {"x2", "xmax", "x_max", "right", "person_box_x2", "entity_box_x2", "xbr", "x_2", "bbox_x2", "box_x2",
           "x_right", "bb_right", "bbox_right", "maxx", "max_x"},
    "y2": {"y2", "ymax", "y_max", "bottom", "person_box_y2", "entity_box_y2", "ybr", "y_2", "bbox_y2", "box_y2",
           "y_bottom", "bb_bottom", "bbox_bottom", "maxy", "max_y"},
    "action_id": {"action_id", "action", "actions", "label", "labels", "label_id", "class", "classes", "class_id",
                  "class_name", "action_label", "action_name", "label_name", "activity", "behavior", "behaviour",
                  "behaviors", "behaviours", "category", "category_id", "category_name"},
    "score": {"score", "confidence", "conf", "probability", "prob"},
    "person_id": {"person_id", "person", "entity_id", "track_id", "track", "id", "trackid", "personid", "subject",
                  "subject_id", "animal", "animal_id", "object_id", "instance_id", "individual", "identity",
                  "person_name", "player", "player_id"},
}  # fmt: skip
# A header name that contains one of these words is a quantity that no column holds.
UNSUPPORTED_WORDS = {
    "w", "width", "h", "height", "cx", "cy", "center", "centre", "frame", "frames", "ms", "milliseconds",
}  # fmt: skip


class FormatError(ValueError):
    """A file or table does not have the expected format.

    The message names the file, the line, the value, the rule and the next step.
    """


@dataclass(frozen=True)
class Layout:
    """Columns of one kind of file, in order. The first `required` columns are in every row that has a box.

    `hint` is the next step in the message about a wrong number of columns. `alternatives` are the orders that a
    header may name where `columns` stands for several; the first is the documented one. Files of detectors may hold
    some inverted boxes (`may_invert`), which the evaluation drops.
    """

    kind: str
    columns: tuple[str, ...]
    required: int
    hint: str
    alternatives: tuple[tuple[str, ...], ...] = ()
    may_invert: bool = False

    @property
    def orders(self) -> tuple[tuple[str, ...], ...]:
        """The orders of columns that a header may name."""
        return self.alternatives or (self.columns,)

    @property
    def usage(self) -> str:
        """The columns as shown in messages: `video,timestamp,x1,y1,x2,y2[,score[,person_id]]`."""
        columns = self.orders[0]
        optional = columns[self.required :]
        return ",".join(columns[: self.required]) + "".join(f"[,{name}" for name in optional) + "]" * len(optional)

    def is_nullable(self, name: str) -> bool:
        """Whether the field may be empty in a row that has a box."""
        return name in self.columns[self.required :] or name == "action_id_or_score"


GROUND_TRUTH = Layout(
    "ground truth",
    (*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action_id", "person_id"),
    required=7,
    hint="write a keyframe without actions as video,timestamp alone",
)
DETECTIONS = Layout(
    "detections",
    (*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action_id", "score", "person_id"),
    required=8,
    hint="add the missing columns",
    may_invert=True,
)
# Column 7 is a score; in the lists that PySlowFast distributes it is an action id or empty, and column 8 the score.
BOXES = Layout(
    "person boxes",
    (*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action_id_or_score", "score_or_person_id"),
    required=6,
    hint="add the missing columns",
    alternatives=(
        (*KEYFRAME_COLUMNS, *BOX_COLUMNS, "score", "person_id"),
        (*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action_id", "score"),
    ),
)
EXCLUDED = Layout("excluded timestamps", tuple(KEYFRAME_COLUMNS), required=2, hint="remove the other columns")
