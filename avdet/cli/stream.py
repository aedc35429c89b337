"""Detect actions live from cameras, network streams or files.

SOURCE is the number or device of a camera (0, /dev/video0), an address (rtsp://, rtsps://, rtmp://, rtmps://, http://,
https://, tcp://, udp://, srt://) or a file, which is played in real time. NAME=SOURCE names it in messages, events and
files. Several sources share one model.

Without --output, --events and --webhook the annotated frames are shown in a window, which q ends. The detections lag
behind the frame by half a clip and the inference time; each frame shows this latency, the frame rate and the number of
dropped frames.

A source that is lost is opened again. Ctrl-C and SIGTERM end the run and finish the recordings.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
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
    require_output,
    require_output_folder,
    require_video_output,
    user_errors,
)
from avdet.cli.config_arguments import configure_logging

if TYPE_CHECKING:
    from avdet.cli.live_session import LiveSession
    from avdet.inference.live_detector import LiveDetector
    from avdet.inference.live_events import Message
    from avdet.media.live import LiveSource
    from avdet.media.live_address import LiveAddress

logger = logging.getLogger(__name__)
QUIT_KEYS = {27, ord("q")}
_STATUS_S = 30.0
_WINDOW_S = 0.03  # between two looks for new frames
_NAMED = re.compile(r"([\w.-]+)=(.+)")
_ENDING = [signal.Signals[name] for name in ("SIGTERM", "SIGHUP") if name in signal.Signals.__members__]


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse(argv)
    configure_logging(to_stderr=str(args.events) == "-")
    with user_errors():
        _stream(args)
    return 0


def _parser() -> ToolParser:
    parser = ToolParser("stream.py", __doc__)
    parser.add_argument(
        "sources", nargs="+", metavar="[NAME=]SOURCE", help="camera number or device, address, or file; one or more"
    )
    parser.add_argument("--checkpoint", type=Path, required=True, help="best.pt of a run, or a public checkpoint")
    parser.add_argument(
        "--output", type=Path, help="the mp4 file to record; of several sources the folder, for a NAME.mp4 each"
    )
    parser.add_argument(
        "--events", type=Path, metavar="FILE", help="append the events to this file as JSON lines; - for stdout"
    )
    parser.add_argument("--webhook", metavar="URL", help="post each event as JSON to this http(s) address")
    add_person_arguments(parser)
    add_precision_argument(parser)
    add_audio_track_argument(parser)
    parser.add_argument(
        "--keyframe-rate", type=float, default=2.0, help="maximum number of predictions per second (default 2)"
    )
    parser.add_argument("--seconds", type=float, help="stop after this time (default: at the end of the source)")
    parser.add_argument(
        "--retry", type=float, default=300.0, metavar="SECONDS",
        help="try to open a lost source again for this long (default 300; 0: end with the first loss)",
    )  # fmt: skip
    parser.add_argument(
        "--min-box-score", type=float, help=f"ignore persons with a lower score (default: {MIN_SCORE_HELP})"
    )
    parser.add_argument(
        "--min-score", type=float, default=0.3, help="draw and report no actions with a lower score (default 0.3)"
    )
    parser.add_argument("--short-side", type=int, default=480, help="maximum short side in pixels (default 480)")
    return parser


def _stream(args: argparse.Namespace) -> None:
    shows = args.output is None and args.events is None and args.webhook is None
    if shows and not _has_display():
        raise ValueError("there is no display for a window; give --output FILE.mp4, --events FILE or --webhook URL")
    require_not_nan(args, "keyframe_rate", "seconds", "retry", "min_box_score", "min_score")
    if args.seconds is not None and args.seconds <= 0:
        raise ValueError(f"--seconds is {args.seconds:g}; give more than 0, or omit it to run until Ctrl-C")
    if args.keyframe_rate <= 0:
        raise ValueError(f"--keyframe-rate is {args.keyframe_rate:g}; give more than 0 per second")
    if args.retry < 0:
        raise ValueError(f"--retry is {args.retry:g}; give 0 seconds or more")
    if args.short_side < 64:
        raise ValueError(f"--short-side is {args.short_side}; give 64 pixels or more")
    sources = _sources(args)
    outputs = _outputs(args, sources)
    with contextlib.ExitStack() as opened:
        sends = _sends(args, opened)
        detector, names = _detector(args)
        from avdet.cli.live_session import LiveSession

        sessions = [
            LiveSession(
                source, detector, names, keyframe_rate=args.keyframe_rate, min_score=args.min_score, output=output,
                shows=shows, sends=sends, seconds=args.seconds,
            )
            for source, output in zip(sources, outputs, strict=True)
        ]  # fmt: skip
        _run(sessions, shows=shows)


def _sources(args: argparse.Namespace) -> list[LiveSource]:
    """The sources by name. A file whose name has an equals sign is no NAME=SOURCE."""
    from avdet.media.live_address import LiveAddress

    sources = []
    for text in args.sources:
        named = None if Path(text).exists() else _NAMED.fullmatch(text)
        address = LiveAddress(named[2] if named else text)
        sources.append(_source(address, named[1] if named else address.name, args))
    if twice := [name for name, count in Counter(source.name for source in sources).items() if count > 1]:
        raise ValueError(f"two sources have the name {twice[0]}; give them others, as in door={args.sources[0]}")
    return sources


def _source(address: LiveAddress, name: str, args: argparse.Namespace) -> LiveSource:
    """The source; logs which of a file's audio tracks is read."""
    from avdet.media.audio_choice import describe_audio_track
    from avdet.media.live import LiveSource
    from avdet.media.video_source import OpenOptions

    path, track = Path(address.text), args.audio_track
    if track is not None and not address.is_file:
        raise ValueError(f"--audio-track selects a track of a file, and {address} is a live source; leave it out")
    if address.is_file and path.exists() and (sentence := describe_audio_track(path, OpenOptions(audio_track=track))):
        logger.info("%s", sentence)
    return LiveSource(address, name=name, short_side=args.short_side, retry_s=args.retry, audio_track=track)


def _outputs(args: argparse.Namespace, sources: Sequence[LiveSource]) -> list[Path | None]:
    """The recording of each source."""
    inputs = [Path(source.address.text) for source in sources if source.address.is_file]
    inputs += [path for path in (args.checkpoint, args.person_weights) if path is not None]
    if args.events is not None and str(args.events) != "-":
        require_output(args.events, inputs, option="--events")
    if args.output is None:
        return [None] * len(sources)
    if len(sources) == 1:
        require_video_output(args.output, inputs)
        return [args.output]
    if args.output.suffix.lower() == ".mp4":
        raise ValueError(f"--output is {args.output}; give a folder for the recordings of {len(sources)} sources")
    require_output_folder(args.output)
    outputs: list[Path | None] = [args.output / f"{source.name}.mp4" for source in sources]
    for output in outputs:
        assert output is not None
        require_video_output(output, inputs)
    return outputs


def _sends(args: argparse.Namespace, opened: contextlib.ExitStack) -> list[Callable[[Message], None]]:
    """The receivers of events, closed with `opened`."""
    from avdet.inference.live_events import EventLog
    from avdet.inference.webhook import Webhook

    sends: list[Callable[[Message], None]] = []
    if args.webhook is not None:
        sends.append(opened.enter_context(Webhook(args.webhook)).send)
    if args.events is not None:
        sends.append(opened.enter_context(EventLog(args.events)).write)
    return sends


def _detector(args: argparse.Namespace) -> tuple[LiveDetector, dict[int, str]]:
    from avdet.inference.detector import ActionDetector
    from avdet.inference.live_detector import LiveDetector
    from avdet.people.build_detector import build_person_detector

    actions = ActionDetector.from_checkpoint(args.checkpoint, precision=args.precision)
    persons = build_person_detector(**person_detector_arguments(args))
    detector = LiveDetector.from_action_detector(actions, persons, min_box_score=min_box_score(args))
    return detector, actions.classes.label_map


def _run(sessions: Sequence[LiveSession], *, shows: bool) -> None:
    """Runs the sessions to the end of all. One that fails leaves the others; at the end its error is raised."""
    errors: list[Exception] = []
    with _signals_interrupt(), ThreadPoolExecutor(len(sessions)) as threads:
        running = {threads.submit(session.run): session for session in sessions}
        try:
            _watch(running, _Windows(sessions) if shows else None, errors)
        except KeyboardInterrupt:
            logger.info("Interrupted")
        finally:
            for session in sessions:
                session.stop()
        wait(running)
        _collect(running, errors)
    if errors:
        raise errors[0] if len(errors) == 1 else ValueError("; ".join(map(str, errors)))


def _watch(running: dict[Future[None], LiveSession], windows: _Windows | None, errors: list[Exception]) -> None:
    """Shows frames and the status until all sessions have ended, or a key ends them."""
    status_s = time.monotonic()
    while running:
        wait(running, timeout=1.0 if windows is None else _WINDOW_S, return_when=FIRST_COMPLETED)
        _collect(running, errors)
        if windows is not None and not windows.show():
            return
        if time.monotonic() - status_s >= _STATUS_S:
            status_s = time.monotonic()
            for session in running.values():
                logger.info("%s", session.status())


def _collect(running: dict[Future[None], LiveSession], errors: list[Exception]) -> None:
    """Reports the sessions that have ended, and removes them. Raises an error that is none of the user's."""
    for future in [future for future in running if future.done()]:
        session = running.pop(future)
        try:
            future.result()
            logger.info("%s", session.summary())
        except (ValueError, OSError) as error:
            errors.append(error)
            if running:
                logger.warning("%s ended: %s", session.name, error)


class _Windows:
    """A window for each session; `show` returns False once q or Esc is pressed or a window is closed."""

    def __init__(self, sessions: Sequence[LiveSession]) -> None:
        import cv2

        self._sessions = sessions
        for session in sessions:
            cv2.namedWindow(session.name, cv2.WINDOW_NORMAL)

    def show(self) -> bool:
        import cv2

        for session in self._sessions:
            frame, session.newest = session.newest, None
            if frame is not None:
                cv2.imshow(session.name, frame[..., ::-1])
        pressed = cv2.waitKey(1) & 0xFF
        visible = [cv2.getWindowProperty(session.name, cv2.WND_PROP_VISIBLE) >= 1 for session in self._sessions]
        return pressed not in QUIT_KEYS and all(visible)


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[None]:
    """SIGTERM, and SIGHUP of a closed terminal, interrupt as Ctrl-C does."""
    previous = {number: signal.signal(number, signal.default_int_handler) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _has_display() -> bool:
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
