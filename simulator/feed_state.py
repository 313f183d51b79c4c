"""What a feed remembers between two lives: which world it shows, and how far it has come."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from minidata.errors import PermanentError


@dataclass(frozen=True)
class FeedState:
    """The state of a feed; a few lines of JSON.

    Attributes:
        seed: of the world.
        channels: in it.
        videos: in it at its start.
        epoch: the world's start.
        live_from: when the feed was first started; the history lies before.
        delivered: the latest instant whose snapshot is in the store.
        sequence: the number of the next snapshot.
    """

    seed: int
    channels: int
    videos: int
    epoch: datetime
    live_from: datetime
    delivered: datetime
    sequence: int = 0

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read the state, or return None if there is none yet.

        Raises:
            PermanentError: if the file holds something else.
        """
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            instants = {name: datetime.fromisoformat(fields[name]) for name in ("epoch", "live_from", "delivered")}
            return cls(**(fields | instants))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise PermanentError(
                f"{path} is not the state of a simulator ({error}). Remove it to start a new world; the data in "
                "the warehouse stay."
            ) from error

    def write(self, path: Path) -> None:
        """Write the state so that a reader finds either the old or the new one, whatever happens meanwhile."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, default=datetime.isoformat, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
