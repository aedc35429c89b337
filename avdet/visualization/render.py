"""Writes an annotated video: person boxes and labels drawn on every frame, with the video's own audio."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avdet.media.video_reader import VideoInfo, VideoReader
from avdet.media.video_writer import AAC_RATES, VideoWriter
from avdet.models.class_activation import Explanation
from avdet.overlap import StageTimes, prefetch
from avdet.visualization.blur_faces import blur_faces
from avdet.visualization.draw import ColourBy, draw_persons
from avdet.visualization.draw_attention import draw_attention_map, draw_audio_attention
from avdet.visualization.person_timeline import Overlay, explain_nothing_drawn
from avdet.visualization.place_labels import LabelPlacer
from avdet.visualization.spectrogram import SpectrogramBar

__all__ = ["DrawSettings", "RenderResult", "render"]

logger = logging.getLogger(__name__)
_BAR_HEIGHT = 1 / 7  # of a spectrogram, relative to the frame's short side
# Smaller frames are enlarged because labels need room; larger ones are reduced because they play badly.
_SHORT_SIDE_LIMITS = (360, 1080)
_AUDIO_BLOCK_S = 10.0
_FRAMES_AHEAD = 4


@dataclass(frozen=True)
class DrawSettings:
    """What is written of a video, and how.

    start_s, end_s: the part of the video; None is its end. spectrogram: adds a bar with the log-mel spectrogram and a
    time cursor below the frames of a video with audio. blur_faces: see `blur_faces`.
    audio_track: its number from 0; None: the one that players select.
    """

    start_s: float = 0.0
    end_s: float | None = None
    spectrogram: bool = False
    colour_by: ColourBy = "person"
    blur_faces: bool = False
    audio_track: int | None = None


@dataclass(frozen=True)
class RenderResult:
    """Numbers of frames written and of boxes drawn in all of them. nothing_drawn: the reason if no action is drawn."""

    frames: int
    boxes: int
    nothing_drawn: str | None


def render(
    video: str | Path,
    output: str | Path,
    overlay: Overlay,
    settings: DrawSettings | None = None,
    *,
    explain: Callable[[float], Explanation | None] | None = None,
    on_frame: Callable[[float, float], None] | None = None,
    times: StageTimes | None = None,
) -> RenderResult:
    """Writes `output` (mp4): every frame of the video, or of its part, with its audio (mono).

    The short side becomes at least 360 and at most 1080 pixels. Memory does not grow with the video's length.
    One thread decodes, one draws, and the caller's encodes. Raises ValueError if the part is not in the video.

    explain: returns a keyframe's attention (inference.explain), drawn into the boxes and, as audio attention, into a
    bar of its own.
    on_frame: called with the time of each frame drawn and the video's duration.
    times: how long the stages "decode", "drawing" and "encoding" are busy.
    """
    Path(output).parent.mkdir(parents=True, exist_ok=True)
    settings = settings or DrawSettings()
    with VideoReader(video, audio_track=settings.audio_track) as reader:
        info = reader.info
    start_s, end_s = settings.start_s, min(settings.end_s or info.duration_s, info.duration_s)
    if not 0 <= start_s < end_s:
        raise ValueError(
            f"{video} lasts {info.duration_s:.1f} s and has no part from {start_s:g} to {end_s:g} s; give other times"
        )
    with contextlib.ExitStack() as stack:
        spectrogram_bar = None
        if settings.spectrogram and info.has_audio:
            bar = SpectrogramBar(
                video, start_s, end_s,
                timestamp_offset_s=overlay.timestamp_offset_s, audio_track=settings.audio_track,
            )  # fmt: skip
            spectrogram_bar = stack.enter_context(bar)
        painter = _FramePainter(overlay, settings, spectrogram_bar, explain, has_audio=info.has_audio)

        def paint(time_s: float, frame: NDArray[np.uint8], bars: NDArray[np.uint8]) -> None:
            painter.paint(time_s, frame, bars)
            if on_frame is not None:
                on_frame(time_s, info.duration_s)

        bars_height = _BAR_HEIGHT * painter.num_bars
        span_s = (start_s, end_s)
        _repaint_video(
            video, info, output, paint, times or StageTimes(),
            bars_height=bars_height, span_s=span_s, audio_track=settings.audio_track,
        )  # fmt: skip
    reason = None if painter.labels else explain_nothing_drawn(overlay, start_s, end_s)
    if reason is not None:
        logger.warning("%s: %s", video, reason)
    return RenderResult(painter.frames, painter.boxes, reason)


class _FramePainter:
    """Draws the overlay and the bars of one frame after the other, and counts frames, boxes and labels."""

    def __init__(
        self,
        overlay: Overlay,
        settings: DrawSettings,
        spectrogram_bar: SpectrogramBar | None,
        explain: Callable[[float], Explanation | None] | None,
        *,
        has_audio: bool,
    ) -> None:
        self._overlay, self._settings = overlay, settings
        self._spectrogram_bar, self._explain = spectrogram_bar, explain
        self._has_attention_bar = explain is not None and has_audio
        self._placer = LabelPlacer()
        self.num_bars = (spectrogram_bar is not None) + self._has_attention_bar
        self.frames = self.boxes = self.labels = 0

    def paint(self, time_s: float, frame: NDArray[np.uint8], bars: NDArray[np.uint8]) -> None:
        """bars (h, W, 3): the spectrogram above the audio attention, where there are any."""
        persons = self._overlay.persons_at(time_s)
        if self._settings.blur_faces:
            blur_faces(frame, [person.box for person in persons])
        explanation = self._explanation_at(time_s)
        if explanation is not None:
            draw_attention_map(frame, explanation, time_s)
        shown_s = time_s + self._overlay.timestamp_offset_s
        draw_persons(frame, persons, shown_s, colour_by=self._settings.colour_by, placer=self._placer)
        bar_px = len(bars) // max(self.num_bars, 1)
        if self._spectrogram_bar is not None:
            self._spectrogram_bar.draw(bars[:bar_px], time_s)
        if self._has_attention_bar:
            draw_audio_attention(bars[-bar_px:], explanation, time_s, self._overlay.detections.action_names)
        self.frames, self.boxes = self.frames + 1, self.boxes + len(persons)
        self.labels += sum(bool(person.actions) for person in persons)

    def _explanation_at(self, time_s: float) -> Explanation | None:
        keyframe_s = self._overlay.detections.keyframe_at(time_s)
        return None if self._explain is None or keyframe_s is None else self._explain(keyframe_s)


def _repaint_video(
    video: str | Path,
    info: VideoInfo,
    output: str | Path,
    paint: Callable[[float, NDArray[np.uint8], NDArray[np.uint8]], None],
    times: StageTimes,
    *,
    bars_height: float,
    span_s: tuple[float, float],
    audio_track: int | None,
) -> None:
    """Writes a copy of a part of the video; `paint` draws into each RGB frame (H, W, 3) and the bars (h, W, 3) below.

    The first frame is shown from the part's start on. bars_height is relative to the short side, rounded to an even
    number of pixels.
    """
    start_s, end_s = span_s
    short_side = int(np.clip(min(info.width, info.height), *_SHORT_SIDE_LIMITS))
    sample_rate = None if info.audio_rate is None else _aac_rate(info.audio_rate)
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(VideoReader(video, short_side=short_side, audio_track=audio_track))
        decoded = prefetch(times.each("decode", reader.play(start_s)), _FRAMES_AHEAD)
        frames = stack.enter_context(contextlib.closing(decoded))
        _, first = next(frames)
        height, width = first.shape[:2]
        bars_px = 2 * round(bars_height * min(height, width) / 2)
        in_part = itertools.takewhile(lambda shown: shown[0] < end_s, frames)

        def painted() -> Generator[tuple[float, NDArray[np.uint8]], None, None]:
            for time_s, frame in itertools.chain([(start_s, first)], in_part):
                with times("drawing"):
                    canvas = np.pad(frame, ((0, bars_px), (0, 0), (0, 0)))
                    paint(time_s, canvas[:height], canvas[height:])
                yield time_s, canvas

        writer = stack.enter_context(
            VideoWriter(output, fps=info.fps, width=width, height=height + bars_px, sample_rate=sample_rate)
        )
        canvases = stack.enter_context(contextlib.closing(prefetch(painted(), _FRAMES_AHEAD)))
        audio = _AudioCopy(reader, writer, sample_rate, span_s)
        for time_s, canvas in canvases:
            with times("encoding"):
                writer.write_frame(canvas, time_s=time_s - start_s)
                audio.copy_until(time_s)
        with times("encoding"):
            audio.copy_until(end_s)


class _AudioCopy:
    """Copies the audio of a part in blocks, a little ahead of the frames."""

    def __init__(
        self, reader: VideoReader, writer: VideoWriter, sample_rate: int | None, span_s: tuple[float, float]
    ) -> None:
        self._reader, self._writer, self._sample_rate = reader, writer, sample_rate
        self._copied_s, self._end_s = span_s

    def copy_until(self, time_s: float) -> None:
        while self._sample_rate is not None and self._copied_s < min(time_s, self._end_s):
            block_s = min(_AUDIO_BLOCK_S, self._end_s - self._copied_s)
            self._writer.write_audio(self._reader.audio(self._copied_s, block_s, self._sample_rate))
            self._copied_s += block_s


def _aac_rate(rate: int) -> int:
    """The rate itself, or the next higher one that AAC supports."""
    return min((allowed for allowed in AAC_RATES if allowed >= rate), default=max(AAC_RATES))
