"""Reads damaged files in child processes, and reports what is neither a result nor a sentence.

Allowed are a result, and a ValueError or OSError whose message names the file or the setting. Findings are
other exceptions, more than `MAX_SECONDS` of CPU time or `MAX_MEMORY`, a crash, and a process that hangs.
A file with a new outcome joins the corpus, from which the next ones are made.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
import re
import resource
import shutil
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from avdet.config_yaml import ConfigError
from tests.fuzz.mutations import mutated, mutated_json
from tests.fuzz.readers import Kind, kinds

__all__ = ["Report", "fuzz", "outcome"]

MAX_SECONDS, MAX_MEMORY = 10.0, 2**30
HANGS_AFTER_S = 120.0  # wall clock of a busy machine
ADDRESS_SPACE = 24 * 2**30
MAX_CORPUS = 300  # files of a kind
SOURCE = re.compile(r"/(avdet|ava_eval)/")


@dataclass
class Report:
    """inputs: their number by kind. findings: the file by the kind and what happened, one of each."""

    inputs: Counter[str] = field(default_factory=Counter)
    findings: dict[str, Path] = field(default_factory=dict)

    def add(self, finding: str, file: Path, folder: Path) -> None:
        """Keeps a copy of the file of a new finding."""
        if finding not in self.findings:
            self.findings[finding] = folder / f"finding-{len(self.findings)}{file.suffix}"
            shutil.copy(file, self.findings[finding])
            with (folder / "findings.txt").open("a", encoding="utf-8") as log:
                log.write(f"{self.findings[finding]}: {finding}\n")

    def __str__(self) -> str:
        total = self.inputs.total()
        rate = 1e6 * len(self.findings) / max(total, 1)
        counts = ", ".join(f"{kind} {count:,}" for kind, count in sorted(self.inputs.items()))
        summary = f"{total:,} inputs ({counts}): {len(self.findings)} findings, {rate:.1f} per million inputs"
        return "\n".join([summary, *(f"{path}: {finding}" for finding, path in self.findings.items())])


def fuzz(folder: Path, *, seed: int, inputs: int, seconds: float, only: Collection[str] = ()) -> Report:
    """Reads up to `inputs` damaged files within `seconds`; equal seeds give equal files. `folder` keeps the findings.

    only: names of kinds; empty: all.
    """
    report, end = Report(), time.monotonic() + seconds
    context = multiprocessing.get_context("forkserver")
    current = folder / "current"
    while (left := inputs - report.inputs.total()) > 0 and time.monotonic() < end:
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_read_files, args=(sender, current, seed, left, end, tuple(only)))
        process.start()
        sender.close()
        ending = _listen(receiver, report, folder)
        process.kill()
        process.join()
        if ending:
            name, file = (current / "what.txt").read_text(encoding="utf-8").split("\n")
            report.inputs[name] += 1
            report.add(f"{name}: {ending}", Path(file), folder)
        seed += 1_000_000
    return report


def _listen(receiver: Connection, report: Report, folder: Path) -> str:
    """Counts outcomes until the child ends; returns how it ended if not by itself."""
    while receiver.poll(HANGS_AFTER_S):
        try:
            kind, file, finding = receiver.recv()
        except EOFError:
            return "the process crashed"
        if not kind:
            return ""
        report.inputs[kind] += 1
        if finding:
            report.add(f"{kind}: {finding}", file, folder)
    return "the process hangs"


def _read_files(sender: Connection, folder: Path, seed: int, inputs: int, end: float, only: Sequence[str]) -> None:
    """The child: sends (kind, file, finding) of each file; ends after one of memory, whose peak cannot be reset."""
    logging.disable()
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.dup2(os.open(folder / "stderr.txt", os.O_WRONLY | os.O_CREAT), 2)  # of C libraries, such as libpng
    chosen = [kind for kind in kinds(folder.parent / "seeds") if not only or kind.name in only]
    weights = [kind.weight for kind in chosen]
    corpora = {kind.name: [seed.read_bytes() for seed in kind.seeds] for kind in chosen}
    known: set[str] = set()
    for number in range(inputs):
        rng = random.Random(seed + number)
        [kind] = rng.choices(chosen, weights)
        corpus = corpora[kind.name]
        mutate = mutated_json if kind.is_json else mutated
        data = mutate(rng.choice(corpus), rng.choice(corpus), rng)
        file = folder / f"input-{number}{rng.choice(kind.seeds).suffix}"
        file.write_bytes(data)
        (folder / "what.txt").write_text(f"{kind.name}\n{file}", encoding="utf-8")
        finding, sentence = outcome(kind, file)
        if f"{kind.name} {sentence}" not in known and len(corpus) < MAX_CORPUS and len(data) < 2**20:
            known.add(f"{kind.name} {sentence}")
            corpus.append(data)
        sender.send((kind.name, file, finding))
        if not finding:
            file.unlink(missing_ok=True)
        if "memory" in finding or time.monotonic() > end:
            break
    sender.send(("", None, ""))


def outcome(kind: Kind, file: Path) -> tuple[str, str]:
    """What is wrong, or ""; and the sentence without its names and numbers."""
    start_s, peak_kb = time.process_time(), _peak_kb()
    finding = sentence = ""
    try:
        kind.read(file)
    except (ValueError, OSError) as error:
        text = " ".join(str(error).split())
        sentence = re.sub(r"\d+|'[^']*'", "_", text.replace(str(file), "FILE"))[:80]
        if file.stem not in text and not isinstance(error, ConfigError):  # which names the setting
            finding = f"{type(error).__name__} without the file's name {_place(error)}: {sentence}"
    except Exception as error:
        finding = f"{type(error).__name__} {_place(error)}"
    if (_peak_kb() - peak_kb) * 1024 > MAX_MEMORY:
        return f"over {MAX_MEMORY >> 20} MB of memory; {finding}", sentence
    if time.process_time() - start_s > MAX_SECONDS:
        return f"over {MAX_SECONDS:g} s; {finding}", sentence
    return finding, sentence


def _place(error: Exception) -> str:
    """Where avdet's code was: the innermost of its lines."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if SOURCE.search(frame.filename)]
    return f"at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "outside avdet"


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
