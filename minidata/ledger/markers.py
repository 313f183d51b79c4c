"""Markers: the files that `./mdp doctor` sends through the pipeline."""

import uuid
from typing import Literal, LiteralString

from minidata.warehouse.connection import Connection

PATTERN = "(^|/)mdp-doctor-[0-9a-f]{32}[.]marker$"

Step = Literal["registered", "claimed", "quarantined"]
_PASSED: dict[Step, LiteralString] = {
    "registered": "true",
    "claimed": "claimed_at is not null",
    "quarantined": "state = 'quarantined'",
}


def marker_key(prefix: str) -> str:
    """Return a new key for a marker below a prefix."""
    return f"{prefix.strip('/')}/mdp-doctor-{uuid.uuid4().hex}.marker"


def has_passed(connection: Connection, key: str, version: str, step: Step) -> bool:
    """Return whether a marker has come as far as a step."""
    found = connection.execute(
        f"select from mdp.files where key = %s and version = %s and {_PASSED[step]}", [key, version]
    )
    return found.rowcount > 0


def remove_markers(owner: Connection) -> list[str]:
    """Remove the rows of all markers that no worker holds; returns the keys of their copies in quarantine.

    Args:
        owner: to the warehouse, as `mdp_owner`: no other role may delete files.
    """
    with owner.transaction():
        rows = owner.execute(
            "delete from mdp.files where key ~ %s and state in ('pending', 'quarantined', 'superseded', 'failed') "
            "returning archive_key",
            [PATTERN],
        ).fetchall()
    return [place for (place,) in rows if place]
