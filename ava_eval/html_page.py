"""The head of an HTML page that needs no other file and may load nothing that it does not name."""

from __future__ import annotations

import base64
import hashlib
from html import escape


def page_head(title: str, style: str, script: str = "", *, sources: str = "", meta: str = "") -> str:
    """The head element, whose Content-Security-Policy allows this style and script by hash and nothing else.

    The page must hold `script` unchanged in a script element. `sources`: further directives, such as "img-src data:";
    `meta`: further elements, as HTML.
    """
    policy = f"default-src 'none'; style-src {_hash_source(style)}; base-uri 'none'; form-action 'none'"
    directives = [policy, *([f"script-src {_hash_source(script)}"] if script else []), *([sources] if sources else [])]
    return (
        '<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(directives)}">\n'
        f'<meta name="viewport" content="width=device-width">\n{meta}'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>"
    )


def _hash_source(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
