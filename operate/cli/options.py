"""Options and arguments that several commands share."""

from datetime import UTC, datetime
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Limit = Annotated[int, typer.Option(min=1, help="Show at most this many, newest first.")]
Keys = Annotated[list[str] | None, typer.Argument(metavar="KEY", help="Keys as `./mdp files` shows them.")]
From = Annotated[datetime | None, typer.Option("--from", help="Only files that arrived at this time (UTC) or later.")]
To = Annotated[datetime | None, typer.Option("--to", help="Only files that arrived before this time (UTC).")]
Prefix = Annotated[str, typer.Option(help="Folder to put in front of each key.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until the platform has processed the files.")]
Timeout = Annotated[float, typer.Option(min=0, help="Seconds to wait at most; 0 waits without a limit.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with code 1 if a file is not archived in the end.")]


def require_wait(wait: bool, timeout: float, strict: bool) -> None:
    """Check that `--timeout` and `--strict` come with `--wait`.

    Raises:
        BadParameter: if one of them comes alone.
    """
    if (timeout or strict) and not wait:
        raise typer.BadParameter("--timeout and --strict say how to wait: add --wait.")


def in_utc(time: datetime | None) -> datetime | None:
    """Return a time that a person wrote without a zone, in UTC."""
    return time and time.replace(tzinfo=time.tzinfo or UTC)
