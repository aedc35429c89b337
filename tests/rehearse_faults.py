"""Rehearses faults of the system, as root: `python -m tests.rehearse_faults SAMPLE WORK` prints a row for each.

SAMPLE: a sample set of make_sample.py. WORK: an empty folder. Each row has the exit status of the command under the
fault, what it wrote to stderr at last, and the exit status of the same command after the fault is mended.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from avdet.cli import cache_videos, detect_actions, extract_features, import_annotations, train_net, visualize
from avdet.config import load_config
from avdet.engine import session  # noqa: F401  (imported once, before the forks)
from tests.conftest import REPOSITORY, TINY_DATA, TINY_MODEL, TINY_TRAINING
from tests.inference.tiny_detector import save_tiny_detector

Main = Callable[[list[str]], int]
LIMIT_S = 300


@dataclass(frozen=True)
class Tool:
    """A command that writes into a folder. again: how it is repeated after a failure."""

    name: str
    main: Main
    argv: Sequence[str]
    again: Sequence[str] = ()


def main() -> None:
    sample, work = (Path(argument).absolute() for argument in sys.argv[1:])
    tools = _tools(sample, work)
    for tool in tools:
        for kilobytes in (1500, 3000, 5000) if tool.again else (16, 100, 600):  # a checkpoint has 1,400
            _row(f"disk of {kilobytes} kB", tool, *_on_small_disk(tool, work / "disk", kilobytes))
    for tool in tools:
        _row("read-only output", tool, *_read_only(tool, work / "disk"))
        _row("umask 777", tool, *_in_child(tool, work / f"umask-{tool.name}", _set_umask))
        _row("clock set back", tool, *_in_child(tool, work / f"clock-{tool.name}", _set_clock_back))
    for name, environment in {
        "C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        "no HOME": {"HOME": "", "XDG_CACHE_HOME": ""},
    }.items():
        for tool in tools:
            _row(name, tool, *_fresh(tool, work / f"{name}-{tool.name}", environment))
    train = tools[0]
    _row("no /dev/shm, one worker", train, *_fresh(train, work / "shm", {}, without_shm=True))


def _tools(sample: Path, work: Path) -> list[Tool]:
    places = (f"data.videos={sample / 'videos'}", f"data.annotations={sample / 'annotations'}")
    overlay = REPOSITORY / "avdet/synthetic/recipes/detection.yaml"
    overrides = (*places, *TINY_MODEL, *TINY_DATA, *TINY_TRAINING, "train.batch_size=2")
    config = load_config(REPOSITORY / "configs/ava/avslowfast.yaml", overlays=(overlay,), overrides=overrides)
    work.mkdir(parents=True, exist_ok=True)
    (work / "config.yaml").write_text(config.to_yaml(), encoding="utf-8")
    checkpoint = save_tiny_detector(work / "tiny.pt", config)
    video = work / "k\u00fcche.mp4"
    shutil.copy(next((sample / "videos").glob("sample_val*.mp4")), video)
    boxes, labels = work / "boxes.csv", work / "labels.csv"
    boxes.write_text("".join(f"k\u00fcche,{second},0.1,0.1,0.5,0.9,0.9\n" for second in range(1, 4)), encoding="utf-8")
    detections = boxes.read_text(encoding="utf-8").replace(",0.9\n", ",1,0.9\n")
    (work / "detections.csv").write_text(detections, encoding="utf-8")
    (work / "label_map.txt").write_text("1: G\u00e4hnen\n", encoding="utf-8")
    labels.write_text("video,time,x1,y1,x2,y2,label\n" + "k\u00fcche,1,0.1,0.1,0.5,0.9,G\u00e4hnen\n", encoding="utf-8")
    of_config = ["--config", str(work / "config.yaml")]
    of_video = [str(video), "--checkpoint", str(checkpoint)]
    of_table = [str(video), "--detections", str(work / "detections.csv")]
    return [
        Tool("train_net", train_net.main, [*of_config, "--output", "OUT/run"], ["--resume"]),
        Tool("detect_actions", detect_actions.main, [*of_video, "--boxes", str(boxes), "--output", "OUT/found"]),
        Tool("extract_features", extract_features.main, [*of_video, "--output", "OUT/vectors"]),
        Tool("cache_videos", cache_videos.main, [*of_config, "--workers", "1", "--output", "OUT/cache"]),
        Tool("visualize", visualize.main, [*of_table, "--output", "OUT/a.mp4"]),
        Tool(
            "import_annotations",
            import_annotations.main,
            [str(labels), "--videos", str(work), "--val-fraction", "0", "--output", "OUT/data"],
        ),
    ]


def _on_small_disk(tool: Tool, disk: Path, kilobytes: int) -> tuple[int, str, str]:
    with _Disk(disk, f"size={kilobytes}k"):
        status, sentence = _run(tool, disk)
        left = ", ".join(sorted(path.name for path in disk.rglob("*") if ".partial" in path.name)) or "no partial file"
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        repeated, _ = _run(tool, disk, again=(disk / "run/config.yaml").exists())
    return status, sentence, f"{left}; after space is freed: exit {repeated}"


def _read_only(tool: Tool, disk: Path) -> tuple[int, str, str]:
    with _Disk(disk, "size=1m,ro"):
        return *_run(tool, disk), ""


def _in_child(tool: Tool, output: Path, prepare: Callable[[], None]) -> tuple[int, str, str]:
    output.mkdir()
    return *_run(tool, output, prepare=prepare), f"{sum(path.is_file() for path in output.rglob('*'))} files"


def _fresh(tool: Tool, output: Path, environment: dict[str, str], *, without_shm: bool = False) -> tuple[int, str, str]:
    """In a new interpreter."""
    output.mkdir()
    program = f"import sys; from avdet.cli.{tool.name} import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, *_arguments(tool, output)]
    if without_shm:
        command = ["unshare", "-m", "sh", "-c", 'umount /dev/shm; exec "$@"', "sh", *command, "data.workers=1"]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, timeout=LIMIT_S, check=False)
    files = sum(path.is_file() for path in output.rglob("*"))
    return done.returncode, done.stderr.decode(errors="replace"), f"{files} files"


class _Disk:
    """A small disk in memory, mounted while the block runs."""

    def __init__(self, path: Path, options: str) -> None:
        self._path, self._options = path, options

    def __enter__(self) -> None:
        self._path.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", self._options, "none", str(self._path)], check=True)

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "-l", str(self._path)], check=True)


def _set_umask() -> None:
    os.umask(0o777)


def _set_clock_back() -> None:
    """Each reading of the clock is a minute before the last."""
    real, readings = time.time, iter(range(10**9))
    time.time = lambda: real() - 60 * next(readings)


def _arguments(tool: Tool, output: Path) -> list[str]:
    return [argument.replace("OUT/", f"{output}/") for argument in tool.argv]


def _run(
    tool: Tool, output: Path, *, again: bool = False, prepare: Callable[[], None] = lambda: None
) -> tuple[int, str]:
    """The exit status of a forked child, negative for a signal, and its stderr."""
    errors = output.parent / "stderr.txt"
    child = os.fork()
    if child == 0:
        os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 1
        try:
            prepare()
            status = tool.main([*_arguments(tool, output), *(tool.again if again else ())])
        except SystemExit as stop:
            status = int(stop.code or 0)
        except BaseException as error:  # a traceback for a fault of the system
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(status)
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        done, state = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(state), errors.read_text(encoding="utf-8", errors="replace")
        time.sleep(0.05)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return -9, "hangs"


def _row(fault: str, tool: Tool, status: int, stderr: str, note: str) -> None:
    lines = stderr.strip().splitlines()
    sys.stdout.write(f"| {fault} | {tool.name} | {status} | {len(lines)} | {(lines or [''])[-1][:300]} | {note} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
