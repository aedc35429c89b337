"""The console command: `avdet VERB ...` runs `python tools/VERB.py ...`."""

from __future__ import annotations

import importlib
import sys

VERBS = (
    "cache_videos",
    "check_data",
    "classify",
    "compare_runs",
    "convert_checkpoint",
    "detect_actions",
    "detect_people",
    "export_annotations",
    "export_onnx",
    "extract_features",
    "import_annotations",
    "list_configs",
    "make_sample",
    "score_clips",
    "stream",
    "test_net",
    "train_net",
    "train_people",
    "visualize",
)


def main(argv: list[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] in {"-h", "--help"}:
        sys.stdout.write(
            f"usage: avdet VERB ...\n\nverbs: {', '.join(VERBS)}\navdet VERB --help lists the options of a verb\n"
        )
        return 0
    verb = argv[0].replace("-", "_")
    if verb not in VERBS:
        sys.stderr.write(f"error: unknown verb {argv[0]!r}; the verbs are {', '.join(VERBS)}\n")
        return 2
    return importlib.import_module(f"avdet.cli.{verb}").main(argv[1:])
