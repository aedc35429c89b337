"""Scores action detections in AVA's CSV format: frame mAP exactly as the three published scripts, and its analysis."""

from ava_eval.comparison import compare
from ava_eval.csv_format import BOX_COLUMNS, KEYFRAME_COLUMNS, FormatError
from ava_eval.csv_reader import read_action_names
from ava_eval.evaluate import evaluate
from ava_eval.label_map import read_label_groups, read_label_map
from ava_eval.protocols import PROTOCOLS
from ava_eval.result import Result, table
from ava_eval.tables import read_boxes, read_detections, read_excluded, read_ground_truth
from ava_eval.tubes import evaluate_tubes

__all__ = [
    "BOX_COLUMNS",
    "KEYFRAME_COLUMNS",
    "PROTOCOLS",
    "FormatError",
    "Result",
    "compare",
    "evaluate",
    "evaluate_tubes",
    "read_action_names",
    "read_boxes",
    "read_detections",
    "read_excluded",
    "read_ground_truth",
    "read_label_groups",
    "read_label_map",
    "table",
]
