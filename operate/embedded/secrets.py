"""The secrets of an embedded platform: made once, at random, and never overwritten."""

import os
import re
import secrets
from pathlib import Path

from dotenv import dotenv_values

from minidata.errors import PermanentError
from minidata.settings import PROJECT

EXAMPLE = PROJECT / "example.env"
_EMPTY = re.compile(r"^(MDP_[A-Z0-9_]+)=[ \t]*$", re.MULTILINE)


def make_secrets(file: Path) -> bool:
    """Make the file of secrets from `example.env`, or fill what is empty in it; whatever is set stays.

    Returns:
        Whether anything was made.

    Raises:
        PermanentError: if the file cannot be read or written.
    """
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else EXAMPLE.read_text(encoding="utf-8")
        filled = _EMPTY.sub(lambda match: f"{match[1]}={_random(match[1])}", text)
        present = set(re.findall(r"^(MDP_[A-Z0-9_]+)=", filled, re.MULTILINE))
        lacking = [n for n in _EMPTY.findall(EXAMPLE.read_text(encoding="utf-8")) if n not in present]
        filled += "".join(f"{name}={_random(name)}\n" for name in lacking)
        if filled == text and file.exists():
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)
            return False
        new = file.with_name(f"{file.name}.{os.getpid()}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(filled)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(file)
    except (OSError, UnicodeDecodeError) as error:
        raise PermanentError(
            f"The secrets in {file} cannot be read or written: {error}. See that you may read {file} and write in its "
            "folder, and that the disk has space, then try again."
        ) from error
    return True


def read_secrets(file: Path) -> dict[str, str]:
    """Read the `MDP_*` variables of a file.

    Raises:
        PermanentError: if the file is missing or unreadable.
    """
    try:
        with file.open(encoding="utf-8") as stream:
            values = dotenv_values(stream=stream, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise PermanentError(
            f"The secrets in {file} cannot be read: {error}. `./mdp up` makes the file if it is missing; "
            "if it was lost, put it back from your backup, for the servers know only the old passwords."
        ) from error
    return {name: value for name, value in values.items() if name.startswith("MDP_") and value}


def _random(name: str) -> str:
    """Make a secret of letters and digits, which no shell, URL or INI file misreads."""
    return secrets.token_hex(10 if name.endswith("_ACCESS_KEY_ID") else 32)
