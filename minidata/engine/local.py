"""This process as the place where the work runs."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Local:
    """Runs the work here, one item after the other."""

    def each(self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Yield what the work returns for each item, before the next one is taken."""
        return map(work, items)
