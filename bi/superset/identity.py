"""UUIDs of our objects: they begin with `6d6470`, "mdp" in ASCII, and follow from kind and name.

An import finds existing objects by UUID, so a second import overwrites the first. A copy that someone makes of an
object gets another UUID and is not ours.
"""

import hashlib
from typing import Literal
from uuid import UUID

Kind = Literal["databases", "datasets", "charts", "dashboards"]
_OURS = b"mdp"


def uuid_of(kind: Kind, name: str) -> str:
    """Return the UUID (version 8) of an object of ours."""
    digest = hashlib.sha256(f"{kind}/{name}".encode()).digest()
    raw = bytearray(_OURS + digest[: 16 - len(_OURS)])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(raw)))


def is_ours(uuid: str) -> bool:
    """Tell whether a UUID is one of ours."""
    parsed = UUID(uuid)
    return parsed.bytes.startswith(_OURS) and parsed.version == 8
