"""Quarantine: what waits for a person, and why."""

from minidata.quarantine.page import reasons_page
from minidata.quarantine.replay import put_back

__all__ = ["put_back", "reasons_page"]
