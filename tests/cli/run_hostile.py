"""Runs tools on hostile files, each in a forked child with limits: `python run_hostile.py CASES.json` prints one JSON
object per case: exit status, seconds of CPU, peak memory and what went to stderr.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import tempfile
from pathlib import Path

import av  # noqa: F401  (imported once, before the forks)
import torch

CPU_S, ADDRESS_SPACE = 20, 16 * 2**30


def run(tool: str, argv: list[str]) -> dict[str, object]:
    """Runs the `main` of a module in a child; its peak memory counts from the parent's."""
    with tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            os.dup2(errors.fileno(), 2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
            resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
            status = 1
            try:
                status = int(importlib.import_module(tool).main(argv) or 0)
            except SystemExit as end:
                status = int(end.code or 0)
            except BaseException as error:  # a traceback for a user's mistake
                os.write(2, f"{type(error).__name__}: {error}\n".encode())
            finally:
                os._exit(status)
        _, state, usage = os.wait4(child, 0)
        errors.seek(0)
        return {
            "status": os.waitstatus_to_exitcode(state),
            "seconds": usage.ru_utime + usage.ru_stime,
            "peak_mb": usage.ru_maxrss / 1024,
            "stderr": errors.read().decode(errors="replace"),
        }


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name, (tool, argv) in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")).items():
        if tool:
            importlib.import_module(tool)
        sys.stdout.write(json.dumps({"name": name, **run(tool, argv)}) + "\n")
        sys.stdout.flush()
