"""Packs track sets into compressed columns of bytes, as read_tracks.js reads them."""

from __future__ import annotations

import base64
import zlib
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from avdet.visualization.player.tracks import TrackSet

__all__ = ["pack_tracks"]

# Units of the columns. A box is exact to half a pixel of a frame of 1000 pixels.
_SCORE_STEPS, _BOX_STEPS, _TIME_STEPS = 200, 2000, 10000


def pack_tracks(track_set: TrackSet) -> dict[str, object]:
    """Returns JSON: halfInterval, ids, counts (keyframes per track), entries, models and the bytes (base64).

    Columns: times and the four sides as differences from the track's previous keyframe, the number of entries of each
    keyframe, and the class and the scores of each entry, sorted by class. Scores are rounded down, so that none passes
    a threshold that it does not reach.
    """
    tracks = track_set.tracks
    keyframes = [sorted(entries) for track in tracks for entries in track["scores"]]
    entries = np.array(list(chain.from_iterable(keyframes)), np.float64).reshape(-1, 1 + track_set.num_models)
    times = [_differences(np.array(track["times"])[:, None], _TIME_STEPS) for track in tracks]
    boxes = [_differences(np.array(track["boxes"]), _BOX_STEPS) for track in tracks]
    columns = [
        _byte_planes(np.concatenate([*times, np.zeros((0, 1))])[:, 0], np.dtype("<i4")),
        *(_byte_planes(side, np.dtype("<i2")) for side in np.concatenate([*boxes, np.zeros((0, 4))]).T),
        _byte_planes(np.array([len(one) for one in keyframes]), np.dtype("<i2")),
        _byte_planes(entries[:, 0], np.dtype("<i2")),
        *(_byte_planes(np.floor(score * _SCORE_STEPS + 1e-6), np.dtype("u1")) for score in entries[:, 1:].T),
    ]
    return {
        "halfInterval": round(track_set.half_interval_s, 4),
        "ids": [track["id"] for track in tracks],
        "counts": [len(track["times"]) for track in tracks],
        "entries": len(entries),
        "models": track_set.num_models,
        "bytes": base64.b64encode(zlib.compress(b"".join(columns), 9)).decode("ascii"),
    }


def _differences(values: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """Integers whose running sum over the rows gives the values in units of 1 / steps."""
    return np.diff(np.rint(values * steps), axis=0, prepend=0)


def _byte_planes(values: NDArray[np.float64] | NDArray[np.int64], dtype: np.dtype[np.generic]) -> bytes:
    """The numbers' lowest bytes, then their next bytes: bytes of one significance compress better together."""
    planes = values.astype(dtype).view(np.uint8).reshape(len(values), dtype.itemsize)
    return planes.T.tobytes()
