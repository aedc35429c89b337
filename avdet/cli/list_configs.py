"""List the shipped configs, each with the first line of its header."""

from __future__ import annotations

from rich.table import Table

from avdet.cli.arguments import ToolParser, user_errors
from avdet.config_yaml import CONFIGS
from avdet.engine.progress import CONSOLE


def main(argv: list[str] | None = None) -> int:
    parser = ToolParser("list_configs.py", __doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="list only the configs whose line has all words")
    words = [word.lower() for word in parser.parse(argv).words]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for path in sorted(CONFIGS.rglob("*.yaml")):
        name = f"configs/{path.relative_to(CONFIGS)}"
        header = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        if all(word in f"{name} {header}".lower() for word in words):
            table.add_row(name, header)
    with user_errors():
        if not table.row_count:
            raise ValueError(
                f"no shipped config has the words {' '.join(words)!r}; leave words out to list all configs"
            )
    CONSOLE.print(table, markup=False, highlight=False)
    return 0
