"""What a round uploads, and what is known of it: enough to judge how everything must stand at the end."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from minidata.settings import Settings
from minidata.store import ObjectStore
from tests.oracle.hostile import hostile_folder

Version = tuple[str, str]
_MOST_FILES = 60


@dataclass
class World:
    """The uploads of one round.

    Attributes:
        settings: of the servers.
        store: with the pipeline's key, past the proxy.
        seed: of all chance.
        uploaded: each content by key and version.
        touched: states beside the usual one, of versions that somebody deleted or took out.
        doomed: keys of files that kill their worker.
        notes: what happened, for the report.
    """

    settings: Settings
    store: ObjectStore
    seed: int
    uploaded: dict[Version, bytes] = field(default_factory=dict)
    touched: dict[Version, set[str]] = field(default_factory=dict)
    doomed: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    chance: random.Random = field(init=False)
    _more: Iterator[tuple[str, bytes]] = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self._more = iter(hostile_folder(self.seed, _MOST_FILES, datetime.now(UTC)))

    def put(self, key: str | None = None, content: bytes | None = None) -> Version:
        """Upload a new file, or under a known key, or a known content."""
        new_key, new_content = next(self._more)
        name, data = key or new_key, new_content if content is None else content
        version = name, self.store.write(self.settings.raw_bucket, name, data)
        self.uploaded[version] = data
        return version

    def any(self) -> Version:
        """Choose one of the uploads."""
        return self.chance.choice(sorted(self.uploaded))
