"""The feed's time, so that tests can bring their own."""

import threading
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the present instant, in UTC."""

    def wait(self, seconds: float) -> bool:
        """Let time pass; return at once, and True, when the feed is to stop."""


class SystemClock:
    """The clock of the machine; setting `stop` ends every wait."""

    def __init__(self) -> None:
        self.stop = threading.Event()

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)

    def wait(self, seconds: float) -> bool:
        """Sleep, but not past a stop."""
        return self.stop.wait(seconds)
