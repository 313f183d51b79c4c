"""Bytes that wait: in memory, and on disk where they are many, as long as the disk has space."""

import shutil
import tempfile

from minidata.errors import TransientError

_RESERVE = 512 << 20  # bytes that stay free on the disk
_LOOK = 32 << 20  # bytes written between two looks at it


class Spool(tempfile.SpooledTemporaryFile[bytes]):
    """A file in the folder for temporary files (`TMPDIR`) that ends with its process.

    Args:
        in_memory: bytes above which it is on disk.
    """

    def __init__(self, in_memory: int) -> None:
        super().__init__(in_memory)
        self._until_look = min(in_memory, _LOOK)

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Write bytes.

        Raises:
            TransientError: if that would leave too little space on the disk.
        """
        self._until_look -= len(data)
        if self._until_look < 0:
            self._until_look = _LOOK
            require_space()
        return super().write(data)


def require_space() -> None:
    """Check that the disk for temporary files has space to write on.

    Raises:
        TransientError: if it has too little.
    """
    folder = tempfile.gettempdir()
    if (free := shutil.disk_usage(folder).free) < _RESERVE:
        raise TransientError(
            f"The disk that holds {folder} has {free >> 20} MiB left, and {_RESERVE >> 20} MiB must stay free. "
            "Make space, or set TMPDIR to a folder on another disk; then it goes on by itself."
        )
