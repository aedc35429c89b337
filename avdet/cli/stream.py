"""Watch a camera, an address or a file live: who does what, by looking and listening, while it happens.

SOURCE is a camera's number, an address (rtsp://, http://) or a file, which is played in real time. The picture comes on
the screen, or with --output into a file. What is drawn was seen half a clip and the time to judge it before; how much
that is, and the frames a second, stand in the picture.
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

from avdet.cli.arguments import require_not_nan, require_video_output, user_errors
from avdet.cli.config_arguments import configure_logging

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from avdet.inference.stream import LiveDetector, LiveFrame
    from avdet.media.video_writer import VideoWriter
    from avdet.visualization.person_timeline import LabelledPerson

logger = logging.getLogger(__name__)
_LEAST_PX = 360  # of the short side: text needs room
QUIT_KEYS = {27, ord("q")}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="stream.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("--checkpoint", type=Path, required=True, help="last.pt or best.pt of a run")
    parser.add_argument("--output", type=Path, help="the mp4 file to write instead of showing a window")
    parser.add_argument("--detector", choices=("detectron2", "torchvision"), help="what finds people")
    parser.add_argument("--people", type=Path, metavar="WEIGHTS", help="its weights, for example a people.pt")
    parser.add_argument("--people-model", help="its model: see detect_people.py --model")
    parser.add_argument("--rate", type=float, default=2.0, help="looks a second, where the machine can (default 2)")
    parser.add_argument("--seconds", type=float, help="stop after so long (default: when the source ends)")
    parser.add_argument("--min-box-score", type=float, default=0.8, help="people below it are left out (default 0.8)")
    parser.add_argument("--min-score", type=float, default=0.3, help="actions below it are not drawn (default 0.3)")
    parser.add_argument("--short-side", type=int, default=480, help="of the picture, at most (default 480 pixels)")
    args = parser.parse_args(argv)
    configure_logging()
    with user_errors():
        _stream(args)
    return 0


def _stream(args: argparse.Namespace) -> None:
    from avdet.inference.stream import LiveStream
    from avdet.media.live import live_events

    if args.output is None and not _has_display():
        raise ValueError("there is no display to show a window on; give --output FILE.mp4")
    if args.output is not None:
        require_video_output(args.output, (Path(args.source), args.checkpoint, args.people))
    require_not_nan(args, "rate", "seconds", "min_box_score", "min_score")
    if args.seconds is not None and args.seconds <= 0:
        raise ValueError(f"--seconds is {args.seconds:g}; give more than 0, or leave it out to go on until it is told")
    if args.short_side < 64:
        raise ValueError(f"--short-side is {args.short_side}; people cannot be seen below 64 pixels")
    detector, names = _detector(args)
    live = LiveStream(live_events(args.source, short_side=args.short_side), detector, keyframe_rate=args.rate)
    painter = _Painter(names, args.min_score)
    shown = dropped = 0
    fastest_s, slowest_s = float("inf"), 0.0
    with contextlib.ExitStack() as opened:
        screen = _Window(args.source) if args.output is None else _Film(args.output, opened)
        with _until_told_or_lost():
            for picture in live:
                if args.seconds is not None and picture.time_s > args.seconds:
                    break
                if not screen.show(painter.drawn(picture), picture.time_s):
                    break
                shown, dropped = shown + 1, picture.dropped
                if picture.detections is not None:
                    fastest_s, slowest_s = min(fastest_s, picture.delay_s), max(slowest_s, picture.delay_s)
        if not shown:
            raise ValueError(f"{args.source} gave no picture; is it on, and is the address right?")
    behind = f"{fastest_s:.1f} to {slowest_s:.1f} s behind" if slowest_s else "nothing was judged in that time"
    logger.info("%s: %d pictures shown, %d dropped; %s", args.output or args.source, shown, dropped, behind)


@contextlib.contextmanager
def _until_told_or_lost() -> Iterator[None]:
    """Ctrl-C is how a camera's film ends, and a source that is lost ends it too: what was seen is kept."""
    from avdet.media.media_file import DecodeError

    try:
        yield
    except KeyboardInterrupt:
        logger.info("stopped")
    except DecodeError as error:
        logger.warning("%s", error)


def _detector(args: argparse.Namespace) -> tuple[LiveDetector, dict[int, str]]:
    from avdet.inference.detector import ActionDetector
    from avdet.inference.stream import LiveDetector
    from avdet.people.build_detector import build_person_detector

    actions = ActionDetector.from_checkpoint(args.checkpoint)
    people = build_person_detector(args.detector, model=args.people_model, weights=args.people)
    return LiveDetector.from_action_detector(
        actions, people, min_box_score=args.min_box_score
    ), actions.classes.label_map


class _Painter:
    """Draws what is known on each picture; a table of detections is read once, however many pictures it stands on."""

    def __init__(self, names: Mapping[int, str], min_score: float) -> None:
        from avdet.visualization.draw import draw_persons

        self._draw_persons = draw_persons
        self._names, self._min_score = names, min_score
        self._table: pd.DataFrame | None = None
        self._people: Sequence[LabelledPerson] = ()

    def drawn(self, picture: LiveFrame) -> NDArray[np.uint8]:
        import cv2
        import numpy as np

        if picture.detections is not self._table:
            self._table, self._people = picture.detections, self._read(picture.detections)
        enlarged = max(_LEAST_PX / min(picture.rgb.shape[:2]), 1.0)
        height, width = (round(side * enlarged) for side in picture.rgb.shape[:2])
        frame = np.array(cv2.resize(picture.rgb, (width, height)), np.uint8)  # always a copy, to draw on
        note = f"{picture.fps:.1f} fps, {picture.delay_s:.1f} s behind, {picture.dropped} dropped"
        self._draw_persons(frame, self._people, picture.time_s, note=note)
        return frame

    def _read(self, table: pd.DataFrame | None) -> Sequence[LabelledPerson]:
        from avdet.visualization.person_timeline import Overlay, detected_persons

        if table is None or table.empty:
            return ()
        overlay = Overlay(detected_persons(table, self._names), min_score=self._min_score)
        return overlay.persons_at(float(table["timestamp"].iloc[0]))


class _Window:
    """On the screen, until q or Esc is pressed or the window is closed."""

    def __init__(self, title: str) -> None:
        import cv2

        self._title = title
        cv2.namedWindow(title, cv2.WINDOW_NORMAL)

    def show(self, frame: NDArray[np.uint8], time_s: float) -> bool:
        import cv2

        cv2.imshow(self._title, frame[..., ::-1])
        pressed = cv2.waitKey(1) & 0xFF
        return pressed not in QUIT_KEYS and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1


class _Film:
    """Into a file, each picture at its time."""

    def __init__(self, path: Path, opened: contextlib.ExitStack) -> None:
        from avdet.media.video_writer import VideoWriter

        self._path, self._opened, self._open = path, opened, VideoWriter
        self._writer: VideoWriter | None = None

    def show(self, frame: NDArray[np.uint8], time_s: float) -> bool:
        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            height, width = frame.shape[:2]
            self._writer = self._opened.enter_context(self._open(self._path, fps=30, width=width, height=height))
            time_s = 0.0  # the first picture stands from the start on
        self._writer.write_frame(frame, time_s=time_s)
        return True


def _has_display() -> bool:
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
