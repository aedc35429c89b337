"""LiveConnection: one connection to a camera or a stream, from opening to its end or loss."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.error import FFmpegError
from av.video.frame import VideoFrame as DecodedVideo

from avdet.media.audio_track import mix_to_mono
from avdet.media.display_size import RgbConverter, display_size_of
from avdet.media.live_address import LiveAddress
from avdet.media.live_clock import LiveClock
from avdet.media.logmel import SAMPLE_RATE
from avdet.media.media_file import MAX_PIXELS, default_stream
from avdet.media.stream_chunk import AudioChunk, StreamChunk, VideoFrame

__all__ = ["LiveConnection", "SourceError"]

_GAP_S = 0.1  # resampler delay and timestamp errors are smaller
_UNTIMED_FORMATS = {"mpjpeg", "mjpeg", "h264", "hevc"}  # FFmpeg numbers their frames at a nominal rate
_BURSTING_PROTOCOLS = {"http", "https"}  # a server sends whole segments or files at once
_ADVICE = {  # the first class that fits an error counts
    av.error.ConnectionRefusedError: "the connection is refused; check host and port, and that the server runs",
    av.error.HTTPUnauthorizedError: "it wants a password; write the address as PROTOCOL://USER:PASSWORD@HOST/PATH",
    av.error.HTTPForbiddenError: "access is forbidden; check the user's rights, and the address",
    av.error.HTTPNotFoundError: "the server has no such path; look up the stream's path in its manual",
    av.error.ProtocolNotFoundError: "this build of PyAV lacks the protocol; use another one, such as rtsp or tcp",
    av.error.FileNotFoundError: "there is no such device; ls /dev/video* lists the cameras",
    av.error.PermissionError: "you may not read it; join the group video",
    av.error.InvalidDataError: "it sends no video that FFmpeg reads; give the address of the stream, not of a web page",
    av.error.ArgumentError: "it is no stream of a known form; check the address, which for tcp and udp has a port",
}


class SourceError(ValueError):
    """A live source cannot be opened, or was lost; the message names it and what to try."""


class LiveConnection:
    """Frames and audio of one connection; use as a context manager. Raises SourceError.

    timeout_s: the connection is lost if no frame arrives for so long.
    stopped: ends the iteration once it is set.
    has_audio, is_finite: whether the source sends audio, and whether it has a duration, as a file on a server has.
    """

    def __init__(self, address: LiveAddress, *, short_side: int, timeout_s: float, stopped: threading.Event) -> None:
        self._address, self._short_side, self._timeout_s, self._stopped = address, short_side, timeout_s, stopped
        try:
            self._container = av.open(**address.open_arguments(), metadata_errors="replace", timeout=timeout_s)
        except (FFmpegError, OSError) as error:
            unknown = "the host is unknown or does not answer; check its name and the network"
            if address.is_camera:
                unknown = "it is no camera that works; ls /dev/video* lists the cameras"
            raise self._error("cannot be opened", error, unknown) from error
        video = default_stream(self._container.streams.video)
        if video is None:
            self._container.close()
            raise SourceError(f"{address} sends no video; give the address of a stream with video")
        self._video, self._audio = video, default_stream(self._container.streams.audio)
        for stream in (self._video, self._audio):
            if stream is not None:
                stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        self.has_audio = self._audio is not None
        self.is_finite = bool(self._container.duration)

    def chunks(self, clock: LiveClock) -> Iterator[StreamChunk]:
        """Yields frames, at most `short_side` pixels high or wide, and audio in the order of arrival, timed by `clock`.

        What arrives in bursts is yielded in real time.
        """
        converter, resampler = RgbConverter(), _LiveResampler()
        is_timed = self._container.format.name not in _UNTIMED_FORMATS
        began: float | None = None
        for frame in self._frames():
            now_s = time.monotonic()
            timestamp_s = frame.time if is_timed and frame.time is not None else now_s
            time_s = clock.time_of("video" if isinstance(frame, DecodedVideo) else "audio", timestamp_s, now_s)
            if time_s is None:
                continue
            if isinstance(frame, AudioFrame):
                yield from resampler.chunks(frame, time_s)
                continue
            began = now_s - time_s if began is None else began
            if self._address.protocol in _BURSTING_PROTOCOLS and self._stopped.wait(began + time_s - now_s):
                return
            short_side = min(self._short_side, frame.width, frame.height)
            size = display_size_of(frame, self._video.sample_aspect_ratio, short_side)
            yield VideoFrame(time_s, converter.convert(frame, size))

    def close(self) -> None:
        self._container.close()

    def __enter__(self) -> LiveConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _frames(self) -> Iterator[DecodedVideo | AudioFrame]:
        """Decoded frames of both streams without broken packets, which are usual where a receiver joins a stream."""
        streams = [stream for stream in (self._video, self._audio) if stream is not None]
        newest_s = time.monotonic()
        while not self._stopped.is_set():
            try:
                for packet in self._container.demux(*streams):
                    if self._stopped.is_set():
                        return
                    with contextlib.suppress(FFmpegError):
                        for frame in packet.decode():
                            if isinstance(frame, DecodedVideo):
                                newest_s = time.monotonic()
                            if isinstance(frame, DecodedVideo | AudioFrame):
                                yield frame
                    if time.monotonic() - newest_s > self._timeout_s:
                        raise SourceError(f"{self._address} sent no frame for {self._timeout_s:g} s; check the camera")
            except IndexError:  # PyAV fails once at a stream that begins later, then continues
                continue
            except (FFmpegError, OSError) as error:
                raise self._error("was lost", error, "the connection broke off; check the source") from error
            return

    def _error(self, what: str, error: FFmpegError | OSError, unknown: str) -> SourceError:
        """unknown: the advice where FFmpeg reports no more than an input or output error."""
        advice = next((text for kind, text in _ADVICE.items() if isinstance(error, kind)), unknown)
        if isinstance(error, av.error.ExitError):  # FFmpeg's report that the time is up
            advice = f"nothing arrived for {self._timeout_s:g} s; check that it is on and sends, and the network"
        return SourceError(f"{self._address} {what}: {advice}")


class _LiveResampler:
    """Mixes and resamples a live stream's audio like a file's and makes its chunks contiguous."""

    def __init__(self) -> None:
        self._rate = 0
        self._end_s: float | None = None

    def chunks(self, frame: AudioFrame, time_s: float) -> Iterator[AudioChunk]:
        """Timestamps are rounded, so a chunk starts where the previous one ended unless there is a real gap."""
        if frame.sample_rate != self._rate:
            self._rate, self._resampler = frame.sample_rate, av.AudioResampler("flt", "mono", SAMPLE_RATE)
        mono = AudioFrame.from_ndarray(np.nan_to_num(mix_to_mono(frame))[None], format="flt", layout="mono")
        mono.sample_rate, mono.pts = frame.sample_rate, None
        if self._end_s is None or abs(time_s - self._end_s) > _GAP_S:
            self._end_s = time_s
        for part in self._resampler.resample(mono):
            samples = part.to_ndarray()[0].astype(np.float32).clip(-1.0, 1.0)
            yield AudioChunk(self._end_s, samples)
            self._end_s += len(samples) / SAMPLE_RATE
