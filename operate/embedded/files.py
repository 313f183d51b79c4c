"""The one way to write a file of the platform: private, complete or not at all, and safe on the disk."""

import os
import pwd
from pathlib import Path


def write_private(file: Path, content: str | bytes, owner: pwd.struct_passwd | None = None) -> None:
    """Replace a file in one step by one that only its owner can read (0600). One process at a time may write it.

    Args:
        file: its path; its folder must exist.
        content: text is written as UTF-8.
        owner: the system user that it belongs to, if not our own.

    Raises:
        OSError: if it cannot be written; the old file is unchanged.
    """
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)  # left by a process that was killed
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content if isinstance(content, bytes) else content.encode())
            if owner is not None:
                os.fchown(descriptor, owner.pw_uid, owner.pw_gid)
            stream.flush()
            os.fsync(descriptor)
        new.replace(file)
    except OSError:
        new.unlink(missing_ok=True)
        raise
