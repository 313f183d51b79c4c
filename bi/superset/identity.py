"""UUIDs that say whose an object is: ours begin with `6d6470`, "mdp" in ASCII, and follow from kind and name.

Superset knows its objects by UUID when it imports them, so that a second import finds the first one's; a copy
that somebody makes of an object gets another UUID, and is theirs.
"""

import hashlib
from typing import Literal
from uuid import UUID

Kind = Literal["databases", "datasets", "charts", "dashboards"]
_OURS = b"mdp"


def uuid_of(kind: Kind, name: str) -> str:
    """Return the UUID (version 8, made to measure) of an object of ours."""
    digest = hashlib.sha256(f"{kind}/{name}".encode()).digest()
    raw = bytearray(_OURS + digest[: 16 - len(_OURS)])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(raw)))


def is_ours(uuid: str) -> bool:
    """Tell whether we made the object with a UUID."""
    parsed = UUID(uuid)
    return parsed.bytes.startswith(_OURS) and parsed.version == 8
