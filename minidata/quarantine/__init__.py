"""Quarantine: what waits for a person, and why."""

from minidata.quarantine.page import reasons_page

__all__ = ["reasons_page"]
