"""Collect: an invented world of channels and videos, watched by a feed that uploads CSV snapshots of it."""
