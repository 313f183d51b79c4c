"""Marks: how an object in Metabase says that we made it, from what, and what it looked like then.

A mark is the last line of the description, the only text that every kind of object keeps for us:

    mdp:trending/over_time#12:1a2b3c4d5e6f:9f8e7d6c5b4a

It names the object, its own id (a copy that somebody made of it has another id, and is theirs), a digest of what
was sent, and a digest of what the server then showed. If the second no longer fits, somebody changed it by hand.
Whoever takes the line out makes the object their own.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

_LINE = re.compile(r"(?s)\A(.*?)\s*mdp:([a-z0-9_/]+)#(\d+|new):([0-9a-f]{12}):([0-9a-f]{12}|new)\s*\Z")
UNSEEN = "new"


@dataclass(frozen=True)
class Mark:
    """The mark of one object.

    Attributes:
        name: in the definitions: `database`, `collection`, a dashboard, or `dashboard/tile`.
        wanted: digest of what was sent.
        id: of the object itself; None while its creation is under way.
        seen: digest of what the server showed afterwards; `new` until it was looked at.
    """

    name: str
    wanted: str
    id: int | None = None
    seen: str = UNSEEN

    def below(self, text: str) -> str:
        """Return a description: text for people, then the mark."""
        return f"{text}\n\nmdp:{self.name}#{self.id or 'new'}:{self.wanted}:{self.seen}"


def read_mark(description: str | None, own_id: int) -> tuple[str, Mark | None]:
    """Return the text for people and the mark of an object, None if it has none or a mark of another object."""
    found = _LINE.match(description or "")
    if not found:
        return description or "", None
    text, name, id_, wanted, seen = found.groups()
    if id_ != "new" and int(id_) != own_id:
        return text, None
    return text, Mark(name, wanted, None if id_ == "new" else own_id, seen)


def digest(content: Any) -> str:
    """Return twelve hexadecimal digits that stand for some JSON, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
