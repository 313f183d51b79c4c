"""What an `apply` would do, or did: the same lists for every tool."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Plan:
    """Names of objects.

    Attributes:
        create: not there yet.
        update: there, but different from the definition: the definition changed, or the object did.
        delete: made by us, and no longer defined.
        unchanged: there, as defined.
        by_hand: those of `update` and `create` that someone changed or removed by hand in the tool.
    """

    create: list[str] = field(default_factory=list)
    update: list[str] = field(default_factory=list)
    delete: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.create or self.update or self.delete)

    def as_lists(self) -> dict[str, list[str]]:
        """Return the shape that scripts rely on: `{create, update, delete, unchanged}`."""
        return {name: getattr(self, name) for name in ("create", "update", "delete", "unchanged")}


def digest(content: Any) -> str:
    """Return twelve hexadecimal digits of some JSON, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
