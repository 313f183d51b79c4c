"""The errors of the platform: one small hierarchy, split by whether trying again can help."""


class PlatformError(Exception):
    """Anything that the platform itself reports. The message says what happened, to what, and what to do."""


class PermanentError(PlatformError):
    """Bad input or bad configuration: the same call would fail again, so it is never retried."""


class TransientError(PlatformError):
    """Network, lock, lease or a server that is away: the same call may succeed later."""


class ClaimLostError(TransientError):
    """A batch went on after its lease had run out: somebody else may hold its files now, so it may not commit."""


class ObjectGoneError(PermanentError):
    """The very version of an object that was asked for does not exist any more."""


class NotRunningError(PlatformError):
    """The platform that a command is about is not running."""
