"""The column layouts of AVA's CSV files, and what a value in each column must be."""

from __future__ import annotations

from dataclasses import dataclass

KEYFRAME_COLUMNS = ["video", "timestamp"]
BOX_COLUMNS = ["x1", "y1", "x2", "y2"]  # corners as shares of the frame
_LARGEST_ID = 2**31 - 1
# Beyond these a number is a mistake, and arithmetic in float32 or microseconds would overflow.
LARGEST = {
    "timestamp": 1e9,
    **dict.fromkeys(BOX_COLUMNS, 1e6),
    "score": 1e30,
    **dict.fromkeys(("action_id", "person_id", "action_id_or_score", "score_or_person_id"), _LARGEST_ID),
}
ABSENT_ID = {"action_id": 0, "person_id": -1}  # in tables, where a row has none

# Names under which people's header lines know the columns.
HEADER_NAMES = {
    "video": {"video", "video_id", "videoid", "video_name", "name", "clip", "movie"},
    "timestamp": {"timestamp", "time", "second", "seconds", "sec", "keyframe", "frame_timestamp", "frame_sec",
                  "frame_time", "timestamp_s", "middle_frame_timestamp", "t"},
    "x1": {"x1", "xmin", "x_min", "left", "person_box_x1", "entity_box_x1"},
    "y1": {"y1", "ymin", "y_min", "top", "person_box_y1", "entity_box_y1"},
    "x2": {"x2", "xmax", "x_max", "right", "person_box_x2", "entity_box_x2"},
    "y2": {"y2", "ymax", "y_max", "bottom", "person_box_y2", "entity_box_y2"},
    "action_id": {"action_id", "action", "label", "label_id", "class", "class_id", "action_label"},
    "score": {"score", "confidence", "conf", "probability", "prob"},
    "person_id": {"person_id", "person", "entity_id", "track_id", "track", "id"},
}  # fmt: skip
# Words of a header's name for what no column holds: the size or centre of a box, frame numbers, milliseconds.
OTHER_QUANTITIES = {
    "w", "width", "h", "height", "cx", "cy", "center", "centre", "frame", "frames", "ms", "milliseconds",
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """One kind of file: its columns in order, which of them a row may leave out, and how to say so."""

    kind: str
    columns: tuple[str, ...]
    required: int
    keyframe_rows: bool  # rows of only video,timestamp are allowed
    hint: str  # next step for a row with a wrong number of columns
    other_orders: tuple[tuple[str, ...], ...] = ()  # where `columns` stand for several, these; the first is ours

    @property
    def orders(self) -> tuple[tuple[str, ...], ...]:
        """What the columns may be, in order."""
        return self.other_orders or (self.columns,)

    @property
    def form(self) -> str:
        columns = self.orders[0]
        optional = columns[self.required :]
        return ",".join(columns[: self.required]) + "".join(f"[,{name}" for name in optional) + "]" * len(optional)

    def nullable(self, name: str) -> bool:
        """Whether a field may be empty in a row that has a box."""
        return name in self.columns[self.required :] or name == "action_id_or_score"


GROUND_TRUTH = Layout(
    "ground truth",
    (*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action_id", "person_id"),
    required=7,
    keyframe_rows=True,
    hint="a keyframe where nobody acts is written as video,timestamp alone",
)
DETECTIONS = Layout(
    "detections",
    (*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action_id", "score", "person_id"),
    required=8,
    keyframe_rows=True,
    hint="add what is missing",
)
# Column 7 is a score, or, in the lists PySlowFast circulates, an action id or nothing.
BOXES = Layout(
    "person boxes",
    (*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action_id_or_score", "score_or_person_id"),
    required=6,
    keyframe_rows=True,
    hint="add what is missing",
    other_orders=(
        (*KEYFRAME_COLUMNS, *BOX_COLUMNS, "score", "person_id"),
        (*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action_id", "score"),
    ),
)
EXCLUDED = Layout(
    "excluded timestamps", tuple(KEYFRAME_COLUMNS), required=2, keyframe_rows=True, hint="remove the other columns"
)
