"""Detect actions live from a camera, a network stream or a file.

SOURCE is the number of a camera, an address (rtsp://, http://) or a file, which is played in real time. The annotated
frames are shown in a window, or written with --output. The detections lag behind the frame by half a clip and the
inference time; each frame shows this latency and the frame rate.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.arguments import (
    MIN_SCORE_HELP,
    ToolParser,
    add_audio_track_argument,
    add_person_arguments,
    add_precision_argument,
    min_box_score,
    person_detector_arguments,
    require_not_nan,
    require_video_output,
    user_errors,
)
from avdet.cli.config_arguments import configure_logging

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from avdet.inference.stream import LiveDetector, LiveFrame
    from avdet.media.live import LiveSource
    from avdet.media.video_writer import VideoWriter
    from avdet.visualization.labelled_person import LabelledPerson

logger = logging.getLogger(__name__)
_MIN_SHORT_SIDE = 360  # pixels; smaller frames are enlarged for the text
QUIT_KEYS = {27, ord("q")}


def main(argv: list[str] | None = None) -> int:
    parser = ToolParser("stream.py", __doc__)
    parser.add_argument("source", metavar="SOURCE", help="camera number, address or file")
    parser.add_argument("--checkpoint", type=Path, required=True, help="best.pt of a run, or a public checkpoint")
    parser.add_argument("--output", type=Path, help="the mp4 file to write instead of opening a window")
    add_person_arguments(parser)
    add_precision_argument(parser)
    add_audio_track_argument(parser)
    parser.add_argument(
        "--keyframe-rate", type=float, default=2.0, help="maximum number of predictions per second (default 2)"
    )
    parser.add_argument("--seconds", type=float, help="stop after this time (default: at the end of the source)")
    parser.add_argument(
        "--min-box-score", type=float, help=f"ignore persons with a lower score (default: {MIN_SCORE_HELP})"
    )
    parser.add_argument("--min-score", type=float, default=0.3, help="draw no actions with a lower score (default 0.3)")
    parser.add_argument("--short-side", type=int, default=480, help="maximum short side in pixels (default 480)")
    args = parser.parse(argv)
    configure_logging()
    with user_errors():
        _stream(args)
    return 0


def _stream(args: argparse.Namespace) -> None:
    from avdet.inference.stream import LiveStream

    if args.output is None and not _has_display():
        raise ValueError("there is no display for a window; give --output FILE.mp4")
    if args.output is not None:
        require_video_output(args.output, (Path(args.source), args.checkpoint, args.person_weights))
    require_not_nan(args, "keyframe_rate", "seconds", "min_box_score", "min_score")
    if args.seconds is not None and args.seconds <= 0:
        raise ValueError(f"--seconds is {args.seconds:g}; give more than 0, or omit it to run until Ctrl-C")
    if args.short_side < 64:
        raise ValueError(f"--short-side is {args.short_side}; give 64 pixels or more")
    detector, names = _detector(args)
    live = LiveStream(_source(args), detector, keyframe_rate=args.keyframe_rate)
    annotator = _Annotator(names, args.min_score)
    shown = dropped = 0
    latencies_s: list[float] = []
    with contextlib.ExitStack() as opened:
        screen = _Window(args.source) if args.output is None else _VideoFile(args.output, opened)
        with _until_interrupted():
            for frame in live:
                if args.seconds is not None and frame.time_s > args.seconds:
                    break
                if not screen.show(annotator.annotated(frame), frame.time_s):
                    break
                shown, dropped = shown + 1, frame.dropped
                if frame.detections is not None:
                    latencies_s.append(frame.delay_s)
        if not shown:
            raise ValueError(f"{args.source} delivered no frame; check the device or the address")
    latency = f"latency {min(latencies_s):.1f} to {max(latencies_s):.1f} s" if latencies_s else "no predictions"
    logger.info("%s: %d frames shown, %d dropped; %s", args.output or args.source, shown, dropped, latency)


def _source(args: argparse.Namespace) -> LiveSource:
    """The source; logs which of a file's audio tracks is read."""
    from avdet.media.audio_choice import describe_audio_track
    from avdet.media.live import LiveSource
    from avdet.media.live_address import LiveAddress
    from avdet.media.video_source import OpenOptions

    address, track = LiveAddress(args.source), args.audio_track
    sentence = None
    if address.is_file and Path(args.source).exists():
        sentence = describe_audio_track(Path(args.source), OpenOptions(audio_track=track))
    if sentence is not None:
        logger.info("%s", sentence)
    if track is not None and not address.is_file:
        raise ValueError(f"--audio-track selects a track of a file, and {address} is a live source; leave it out")
    return LiveSource(address, short_side=args.short_side, audio_track=track)


@contextlib.contextmanager
def _until_interrupted() -> Iterator[None]:
    """Ends the block without an error on Ctrl-C and when the source is lost; the output is kept."""
    from avdet.media.media_file import DecodeError

    try:
        yield
    except KeyboardInterrupt:
        logger.info("Interrupted")
    except DecodeError as error:
        logger.warning("%s", error)


def _detector(args: argparse.Namespace) -> tuple[LiveDetector, dict[int, str]]:
    from avdet.inference.detector import ActionDetector
    from avdet.inference.stream import LiveDetector
    from avdet.people.build_detector import build_person_detector

    actions = ActionDetector.from_checkpoint(args.checkpoint, precision=args.precision)
    persons = build_person_detector(**person_detector_arguments(args))
    detector = LiveDetector.from_action_detector(actions, persons, min_box_score=min_box_score(args))
    return detector, actions.classes.label_map


class _Annotator:
    """Draws the latest detections on each frame; converts each table of detections once."""

    def __init__(self, names: Mapping[int, str], min_score: float) -> None:
        from avdet.visualization.draw import draw_persons

        self._draw_persons = draw_persons
        self._names, self._min_score = names, min_score
        self._table: pd.DataFrame | None = None
        self._persons: Sequence[LabelledPerson] = ()

    def annotated(self, live: LiveFrame) -> NDArray[np.uint8]:
        """Returns a copy of the frame with boxes, frame rate and latency."""
        import cv2
        import numpy as np

        if live.detections is not self._table:
            self._table, self._persons = live.detections, self._shown_persons(live.detections)
        scale = max(_MIN_SHORT_SIDE / min(live.rgb.shape[:2]), 1.0)
        height, width = (round(side * scale) for side in live.rgb.shape[:2])
        frame = np.array(cv2.resize(live.rgb, (width, height)), np.uint8)  # a copy to draw on
        note = f"{live.fps:.1f} fps, latency {live.delay_s:.1f} s, {live.dropped} dropped"
        self._draw_persons(frame, self._persons, live.time_s, note=note)
        return frame

    def _shown_persons(self, table: pd.DataFrame | None) -> Sequence[LabelledPerson]:
        from avdet.visualization.person_timeline import Overlay, detected_persons

        if table is None or table.empty:
            return ()
        overlay = Overlay(detected_persons(table, self._names), min_score=self._min_score)
        return overlay.persons_at(float(table["timestamp"].iloc[0]))


class _Window:
    """A window; `show` returns False once q or Esc is pressed or the window is closed."""

    def __init__(self, title: str) -> None:
        import cv2

        self._title = title
        cv2.namedWindow(title, cv2.WINDOW_NORMAL)

    def show(self, frame: NDArray[np.uint8], time_s: float) -> bool:
        import cv2

        cv2.imshow(self._title, frame[..., ::-1])
        pressed = cv2.waitKey(1) & 0xFF
        return pressed not in QUIT_KEYS and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1


class _VideoFile:
    """An mp4 file; `show` writes a frame at its time."""

    def __init__(self, path: Path, opened: contextlib.ExitStack) -> None:
        from avdet.media.video_writer import VideoWriter

        self._path, self._opened, self._open = path, opened, VideoWriter
        self._writer: VideoWriter | None = None

    def show(self, frame: NDArray[np.uint8], time_s: float) -> bool:
        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            height, width = frame.shape[:2]
            self._writer = self._opened.enter_context(self._open(self._path, fps=30, width=width, height=height))
            time_s = 0.0  # the video starts with the first frame
        self._writer.write_frame(frame, time_s=time_s)
        return True


def _has_display() -> bool:
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
