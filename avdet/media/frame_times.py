"""When each frame of a video appears, from its packets alone: for tools that count frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avdet.media.frame_decoder import frame_rate
from avdet.media.media_file import DecodeError, MediaFile, default_stream

__all__ = ["frame_times"]


def frame_times(path: str | Path) -> NDArray[np.float64]:
    """Seconds on the file's own clock at which frames 0, 1, 2, .. appear. Raises DecodeError without a video stream.

    AVI stores no display times: its frames are taken to be evenly spaced.
    """
    with MediaFile(path) as file:
        stream = default_stream(file.container.streams.video)
        if stream is None:
            raise DecodeError(file.path, None, "it has no video stream")
        packets = [packet for packet in file.container.demux(stream) if packet.size and not packet.is_discard]
        if not file.has_display_times or any(packet.pts is None for packet in packets):
            return np.arange(len(packets)) / frame_rate(stream)
        assert stream.time_base is not None
        ticks = np.sort([packet.pts for packet in packets if packet.pts is not None])
        return ticks * float(stream.time_base) - float(file.zero_s)
