"""Deliveries that wait for their time: late ones, and those that change places with the next."""

from collections.abc import Iterable, Iterator

from simulator.spoil import Delivery


class Outbox:
    """Holds deliveries back by as many snapshots as they ask for."""

    def __init__(self) -> None:
        self._held: list[tuple[int, Delivery]] = []

    def post(self, sequence: int, deliveries: Iterable[Delivery]) -> Iterator[Delivery]:
        """Take the deliveries of one snapshot; give those whose time has come, the snapshot's own first."""
        for delivery in deliveries:
            if delivery.hold:
                self._held.append((sequence + delivery.hold, delivery))
            else:
                yield delivery
        due = [delivery for when, delivery in self._held if when <= sequence]
        self._held = [(when, delivery) for when, delivery in self._held if when > sequence]
        yield from due

    def rest(self) -> Iterator[Delivery]:
        """Give all that is still held, in the order of its time."""
        held, self._held = sorted(self._held, key=lambda pair: pair[0]), []
        yield from (delivery for _, delivery in held)
