"""The kinds of chaos, by name: what happens in a round between the first upload and the quiet at its end."""

from tests.chaos.kinds import database, store, uploaders, users, workers
from tests.chaos.kinds.register import KINDS

__all__ = ["KINDS", "database", "store", "uploaders", "users", "workers"]
