"""Text from outside: made harmless where it is shown, and refused where a store would change it."""

import re
from collections.abc import Iterable
from typing import Final

from minidata.errors import PermanentError

TEXT_ENDINGS: Final = "csv|tsv|txt|jsonl|ndjson"
"""A pattern of how the names of text files end, before any .gz or .zst."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_ODD = re.compile(r"\\|//|^/|[\x00-\x1f\ud800-\udfff\ufffd-\uffff]|(^|/)\.uploads/|\.versions/")


def safe(value: object, *, lines: bool = False) -> str:
    r"""Make text from outside harmless in a terminal: control and bidi characters become visible escapes.

    With `lines`, line ends and tabs are kept.

    >>> safe("a\x1b[31mb\n")
    'a\\x1b[31mb\\n'
    """
    return _CONTROL.sub(lambda m: m.group() if lines and m.group() in "\n\t" else ascii(m.group())[1:-1], str(value))


def require_plain(keys: Iterable[str]) -> None:
    """Check that the store keeps the keys unchanged; it would rewrite or hide others, and a wait would never end.

    Raises:
        PermanentError: if one holds what SeaweedFS or XML does not carry.
    """
    odd = [safe(key) for key in keys if _ODD.search(key)]
    if odd:
        raise PermanentError(
            "Object stores change or hide these keys (a backslash, //, a control character, .uploads/, .versions/); "
            f"nothing was uploaded. Rename: {', '.join(odd)}."
        )
