"""Detections made from ground truth by arithmetic alone, the same on every machine."""

import numpy as np
import pandas as pd

POSE_IDS = np.array([1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14])
_PRIME = 1_000_003  # above the rows of every use, so that all scores differ, in float32 too


def noisy_detections(ground_truth: pd.DataFrame, copies: int = 3) -> pd.DataFrame:
    """`copies` detections of each box: moved, grown or shrunk, four in ten of them renamed; no two scores equal."""
    i = np.arange(copies * len(ground_truth))
    found = ground_truth.iloc[i // copies].reset_index(drop=True)
    shift, grow = ((i * 7919) % 101 - 50) / 500, ((i * 104729) % 97) / 800
    for name, sign in (("x1", -1), ("y1", -1), ("x2", 1), ("y2", 1)):
        found[name] = (found[name] + shift + sign * grow).round(3)
    is_wrong = (i * 31) % 10 < 4
    found["action_id"] = np.where(is_wrong, POSE_IDS[(i * 17) % len(POSE_IDS)], found["action_id"])
    place = (i * 1_299_709) % _PRIME
    found["score"] = np.where(is_wrong, 0.75 * place + 0.125, place) / _PRIME
    found["person_id"] = -1
    return found
