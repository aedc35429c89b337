"""Command-line parsing, checks of arguments, and user errors: what every tool shares."""

from __future__ import annotations

import argparse
import errno
import glob
import math
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = [
    "INTERRUPTED",
    "MIN_SCORE_HELP",
    "PERSON_OPTIONS",
    "ToolParser",
    "add_audio_track_argument",
    "add_person_arguments",
    "add_precision_argument",
    "add_video_arguments",
    "min_box_score",
    "person_detector_arguments",
    "require_boxes_alone",
    "require_not_nan",
    "require_output",
    "require_output_folder",
    "require_video_output",
    "user_errors",
]

INTERRUPTED = 130  # exit status after Ctrl-C, as shells report it
MIN_SCORE_HELP = "0.8 with detectron2 and torchvision, 0.5 with onnx, 0 for given boxes"  # people's MIN_SCORES
PERSON_OPTIONS = ("person_detector", "person_weights", "person_model", "person_class", "person_format")
RENAMED_OPTIONS = {
    "--detector": "--person-detector",
    "--every": "--keyframe-interval",
    "--people": "--person-weights",
    "--people-model": "--person-model",
    "--rate": "--keyframe-rate",
    "--smooth": "--smooth-window",
    "--time-origin": "--timestamp-offset",
    "--val-share": "--val-fraction",
    "--without-sound": "--without-audio",
}


class ToolParser(argparse.ArgumentParser):
    """Parser of one tool: no abbreviated options, and a hint for each option that was renamed."""

    def __init__(self, prog: str, description: str | None, *, epilog: str | None = None) -> None:
        formatter = argparse.RawDescriptionHelpFormatter
        super().__init__(prog, description=description, epilog=epilog, formatter_class=formatter, allow_abbrev=False)

    def parse(self, argv: Sequence[str] | None) -> argparse.Namespace:
        """Parses options and positional arguments in any order. Exits with status 2 for wrong usage."""
        argv = sys.argv[1:] if argv is None else argv
        self._refuse_dashes(argv)
        for option in (argument.partition("=")[0] for argument in argv):
            renamed = RENAMED_OPTIONS.get(option)
            if renamed in self._option_string_actions and option not in self._option_string_actions:
                self.exit(2, f"error: unknown option {option}; did you mean {renamed}?\n")
        return self.parse_intermixed_args(argv)

    def _refuse_dashes(self, argv: Sequence[str]) -> None:
        """Explains a file name that argparse takes for an option; many names of AVA's videos begin with a dash."""
        for argument in argv:
            is_option = argument.partition("=")[0] in self._option_string_actions
            if argument.startswith("-") and not is_option and (os.path.lexists(argument) or glob.has_magic(argument)):
                self.exit(2, f"error: {argument} begins with a dash and is taken for an option; write ./{argument}\n")


def add_person_arguments(
    parser: argparse.ArgumentParser,
    *,
    names: Sequence[str] = ("detectron2", "torchvision", "onnx"),
    weights: Sequence[str] = ("--person-weights",),
    model: Sequence[str] = ("--person-model",),
) -> None:
    """Adds the options of the person detector, which `person_detector_arguments` reads.

    names: the detectors that the tool runs; weights, model: the names of two options, which are shorter in tools
    without another model.
    """
    parser.add_argument(
        "--person-detector",
        choices=names,
        help="default: the one of the weights, else Detectron2 if it is installed, else torchvision",
    )
    parser.add_argument(
        *weights,
        dest="person_weights",
        type=Path,
        metavar="FILE",
        help="weights of the person detector, such as a people.pt or FILE.onnx (default: the published ones)",
    )
    parser.add_argument(
        *model,
        dest="person_model",
        metavar="MODEL",
        help="Detectron2: a config file or a name in its model zoo; torchvision: resnet50, mobilenet or tiny",
    )
    parser.add_argument(
        "--person-class",
        metavar="NAME",
        help="the detector's class that is detected, such as dog (default person)",
    )
    parser.add_argument(
        "--person-format",
        metavar="NAME",
        help="onnx: the form of the outputs, such as yolov8 (default: recognised; docs/people.md lists the forms)",
    )


def person_detector_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """The given options of `add_person_arguments` as arguments of `build_person_detector`."""
    names = {
        "name": "detector",
        "model": "model",
        "weights": "weights",
        "person_class": "class",
        "output_format": "format",
    }
    values = {argument: getattr(args, f"person_{option}") for argument, option in names.items()}
    return {argument: value for argument, value in values.items() if value is not None}


def require_boxes_alone(args: argparse.Namespace) -> None:
    """Raises ValueError where --boxes is given with an option of the person detector."""
    for name in PERSON_OPTIONS:
        selects_class = name == "person_class" and args.boxes is not None and args.boxes.is_dir()
        if args.boxes is not None and getattr(args, name) is not None and not selects_class:
            option = f"--{name.replace('_', '-')}"
            raise ValueError(f"--boxes replaces the person detector, so {option} has no effect; remove one of them")


def min_box_score(args: argparse.Namespace, *, given_boxes: bool = False) -> float:
    """The option --min-box-score, or the default of the person detector; 0 for given boxes."""
    from avdet.people.build_detector import default_min_score

    if args.min_box_score is not None:
        return args.min_box_score
    return 0.0 if given_boxes else default_min_score(args.person_detector, args.person_weights)


def add_precision_argument(parser: argparse.ArgumentParser) -> None:
    """Adds --precision to a tool that predicts with an action model."""
    parser.add_argument(
        "--precision",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="of the action model; auto (default): bfloat16 where the device computes it, else float32",
    )


def add_audio_track_argument(parser: argparse.ArgumentParser) -> None:
    """Adds --audio-track to a tool that reads videos."""
    parser.add_argument(
        "--audio-track",
        type=_whole_number,
        metavar="N",
        help="audio track, from 0 (default: the one that players select)",
    )


def _whole_number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return int(text)


def add_video_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds VIDEO... and --input to a tool that reads many videos; see `inference.video_names.expand_videos`."""
    parser.add_argument(
        "videos",
        nargs="*",
        type=Path,
        metavar="VIDEO",
        help="files, folders of videos, folders of extracted frames, or quoted patterns such as 'videos/*.mp4'",
    )
    parser.add_argument("--input", type=Path, metavar="LIST", help="a text file with further videos, one path per line")


@contextmanager
def user_errors() -> Iterator[None]:
    """Reports a ValueError or an OSError as one sentence and exits with status 2; other exceptions are bugs."""
    try:
        yield
    except (ValueError, OSError) as error:
        from ava_eval.one_line import one_line

        sys.stderr.write(f"error: {one_line(_sentence(error))}\n")
        raise SystemExit(2) from None


def _sentence(error: ValueError | OSError) -> str:
    """Adds the next step to the operating system's own errors, which have only a reason and a path."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        place = "" if error.filename is None else f"{error.filename}: "
        return f"{place}the disk is full; free space, then run the command again"
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        reason = error.strerror[0].lower() + error.strerror[1:]
        return f"{error.filename}: {reason}; correct the path, or the setting that names it"
    return str(error)


def require_not_nan(args: argparse.Namespace, *names: str) -> None:
    """Raises ValueError where one of these options is NaN, which argparse reads as a number."""
    for name in names:
        value = getattr(args, name)
        if value is not None and math.isnan(value):
            raise ValueError(f"--{name.replace('_', '-')} is nan; give a number")


def require_output(output: Path, inputs: Iterable[Path | None] = (), *, option: str = "--output") -> None:
    """Raises ValueError where `output` is one of the `inputs`, exists but is no file, or cannot be written."""
    if output.resolve() in {path.resolve() for path in inputs if path is not None}:
        raise ValueError(f"{option} {output} is one of the inputs and would overwrite it; give another name")
    if output.exists() and not output.is_file():
        raise ValueError(f"{option} {output} is a folder or a device; give the name of a file to write")
    _require_writable(output, option)


def require_output_folder(output: Path, *, option: str = "--output") -> None:
    """Raises ValueError where `output` is a file, or cannot be created or written into."""
    if output.exists() and not output.is_dir():
        raise ValueError(f"{option} {output} is a file; give a folder to write into")
    _require_writable(output / "file", option)


def require_video_output(output: Path, inputs: Iterable[Path | None]) -> None:
    """Raises ValueError where `output` is no mp4 file or `require_output` refuses it."""
    if output.suffix.lower() != ".mp4":
        raise ValueError(f"--output is {output}; the video is written as mp4, so give a name that ends in .mp4")
    require_output(output, inputs)


def _require_writable(path: Path, option: str) -> None:
    """Writes an unnamed file into the nearest existing parent folder of `path`."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ValueError(f"{option}: cannot write into {folder} ({reason}); give another path") from None
