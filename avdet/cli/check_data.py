"""Check the data of a config before training: files, timestamps, labels, person boxes, audio."""

from __future__ import annotations

import json
from pathlib import Path

from rich.markup import escape

from avdet.cli.arguments import ToolParser, require_output, user_errors
from avdet.cli.config_arguments import add_config_arguments, config_from_arguments, provide_sample
from avdet.engine.progress import CONSOLE

COLOURS = {"error": "bold red", "warning": "yellow", "fact": "green"}


def main(argv: list[str] | None = None) -> int:
    """Returns exit status 2 if the data have an error, as the tools that would use them."""
    parser = ToolParser("check_data.py", __doc__)
    add_config_arguments(parser)
    parser.add_argument("--json", type=Path, help="also write the findings to this file")
    args = parser.parse(argv)
    with user_errors():
        config = config_from_arguments(args)
        from avdet.annotations.checks.check_data import check_data

        if args.sample:
            provide_sample(config)
        dataset = config.dataset()
        if args.json is not None:
            files = [*dataset.files("train").values(), *dataset.files("val").values()]
            require_output(args.json, (args.config, *files), option="--json")
        findings = list(check_data(dataset))
        if args.json is not None:
            args.json.parent.mkdir(parents=True, exist_ok=True)
            content = json.dumps([finding.to_json() for finding in findings], indent=2)
            args.json.write_text(content + "\n", encoding="utf-8")
    for finding in findings:
        CONSOLE.print(
            f"[{COLOURS[finding.level]}]{finding.level:8}[/] {escape(finding.about)}: ", end="", highlight=False
        )
        CONSOLE.print(finding.message, markup=False, highlight=False)
    return 2 * any(finding.level == "error" for finding in findings)
