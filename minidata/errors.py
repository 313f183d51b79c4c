"""The errors of the platform: one small hierarchy, split by whether a retry can help."""


class PlatformError(Exception):
    """Base of all errors of the platform. The message says what happened, to what, and what to do."""


class PermanentError(PlatformError):
    """Bad input or bad configuration: the same call would fail again, so it is never retried."""


class TransientError(PlatformError):
    """Network, lock, lease or an unavailable server: the same call may succeed later."""


class ClaimLostError(TransientError):
    """The lease of a batch expired while it was working: another worker may hold its files, so it cannot commit."""


class ObjectGoneError(PermanentError):
    """The requested version of an object no longer exists."""


class NotRunningError(PlatformError):
    """The platform that the command needs is not running."""
