"""LiveSource: frames and audio of a camera, a stream or a file, from now on; lost connections are opened again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from avdet.media.live_address import LiveAddress
from avdet.media.live_clock import LiveClock
from avdet.media.live_connection import LiveConnection, SourceError
from avdet.media.logmel import SAMPLE_RATE
from avdet.media.stream_chunk import AudioChunk, StreamChunk, VideoFrame
from avdet.media.video_reader import VideoReader

__all__ = ["LiveSource"]

logger = logging.getLogger(__name__)
_CHUNK_S = 0.1
_LONGEST_WAIT_S = 30.0


class LiveSource:
    """Iterates over the frames and audio of a source in the order of arrival; times are seconds since it began.

    name: in log messages. short_side: larger frames are scaled down to it, in pixels.
    timeout_s: a connection without frames for so long is lost.
    retry_s: a lost source is opened again, after `first_wait_s` and then twice as long each time up to 30 s, until
    it has been away for so long; then the iteration ends.
    audio_track: of a file, its number from 0; None: the one that players select, as of a stream.
    has_audio: whether the source sends audio; known when the first frame is.
    reconnections: how often the source was lost and came back.

    The iteration raises SourceError for a source that cannot be opened at first, and DecodeError for a file.
    A file plays in real time; its audio arrives shortly after its frames, as from a sound card.
    """

    def __init__(
        self,
        address: LiveAddress,
        *,
        short_side: int,
        name: str | None = None,
        timeout_s: float = 10.0,
        retry_s: float = 300.0,
        first_wait_s: float = 1.0,
        audio_track: int | None = None,
    ) -> None:
        self.address, self.name = address, name or address.name
        self.has_audio = False
        self.reconnections = 0
        self._short_side, self._timeout_s = short_side, timeout_s
        self._retry_s, self._first_wait_s = retry_s, first_wait_s
        self._audio_track = audio_track
        self._stopped = threading.Event()
        self._clock = LiveClock()

    def stop(self) -> None:
        """Ends the iteration, also from another thread; a read that waits for data ends with its time limit."""
        self._stopped.set()

    def __iter__(self) -> Iterator[StreamChunk]:
        return self._played_file() if self.address.is_file else self._received()

    def _received(self) -> Iterator[StreamChunk]:
        began = False
        lost_s, wait_s = 0.0, self._first_wait_s  # since when the source is away: 0 while it is there
        while True:
            try:
                with self._connection() as connection:
                    for chunk in connection.chunks(self._clock):
                        if lost_s:
                            self._report_return(lost_s)
                        began, lost_s, wait_s = True, 0.0, self._first_wait_s
                        yield chunk
                    if connection.is_finite or self._stopped.is_set():
                        return
                    raise SourceError(f"{self.address} ended the stream; check that it still sends")
            except SourceError as error:
                if not began:
                    raise
                lost_s = lost_s or time.monotonic()
                if not self._waits(error, lost_s, wait_s):
                    return
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            self._clock.reconnected()

    def _connection(self) -> LiveConnection:
        connection = LiveConnection(
            self.address, short_side=self._short_side, timeout_s=self._timeout_s, stopped=self._stopped
        )
        self.has_audio = connection.has_audio
        return connection

    def _waits(self, error: SourceError, lost_s: float, wait_s: float) -> bool:
        """Waits before the next connection; returns False if there is none."""
        if self._stopped.is_set():
            return False
        if time.monotonic() + wait_s - lost_s > self._retry_s:
            logger.warning("%s: %s; no new connection within %g s", self.name, error, self._retry_s)
            return False
        logger.warning("%s: %s; next connection in %g s", self.name, error, wait_s)
        return not self._stopped.wait(wait_s)

    def _report_return(self, lost_s: float) -> None:
        self.reconnections += 1
        logger.info("%s: connected again after %.1f s", self.name, time.monotonic() - lost_s)

    def _played_file(self) -> Iterator[StreamChunk]:
        path = Path(self.address.text)
        with VideoReader(path, audio_track=self._audio_track) as probe:
            info = probe.info
        self.has_audio = info.has_audio
        started_s = time.monotonic()
        audio_s = 0.0
        short_side = min(self._short_side, info.width, info.height)
        with VideoReader(path, short_side=short_side, audio_track=self._audio_track) as reader:
            for time_s, rgb in reader.play():
                if self._stopped.wait(started_s + time_s - time.monotonic()):
                    return
                yield VideoFrame(time_s, rgb)
                while info.has_audio and audio_s + _CHUNK_S <= time_s:
                    yield AudioChunk(audio_s, reader.audio(audio_s, _CHUNK_S, SAMPLE_RATE))
                    audio_s += _CHUNK_S
