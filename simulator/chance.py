"""Chance that comes from names: the same name, the same draws, on every run."""

import random


def stream(*name: object) -> random.Random:
    """Return a source of chance of its own for a name, such as a seed and what the draws are for."""
    return random.Random("/".join(map(str, name)))  # noqa: S311  nothing here is a secret
