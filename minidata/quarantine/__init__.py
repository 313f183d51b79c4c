"""Quarantine: what waits for a person."""

from minidata.quarantine.replay import put_back

__all__ = ["put_back"]
