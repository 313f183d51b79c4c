"""`mdp replay` and `mdp quarantine replay`: process files again that were not loaded."""

from typing import Annotated

import typer

from minidata import ledger
from minidata.errors import PermanentError
from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection, connect
from operate.cli.app import app, settings_of
from operate.cli.objects import wait_for
from operate.cli.options import From, Json, Keys, Strict, Timeout, To, Wait, in_utc, require_wait
from operate.cli.output import print_json, safe, say
from operate.cli.quarantine import quarantine_app

# Why a file in a state is not processed again, and what to do instead.
_INSTEAD = {
    "pending": "It is already waiting: `./mdp wait`.",
    "claimed": "It is being processed: `./mdp wait`.",
    "loaded": "It is loaded; loading it again would change nothing.",
    "archived": "It is loaded; loading it again would change nothing.",
    "invalid": "It is being moved to quarantine. Retry in a moment: `./mdp quarantine replay`.",
    "quarantined": "It was refused: `./mdp quarantine show` shows why, `./mdp quarantine replay` sends it again.",
    "superseded": "It was deleted or overwritten before it was read. Upload it again: `./mdp upload`.",
    "failed": "Processing failed repeatedly, with errors other than validation errors: `./mdp replay` tries again.",
    "excluded": "It was taken out on request. `./mdp files include` puts it back.",
}
_PUT_BACK_INSTEAD = _INSTEAD | {"quarantined": "It is closed: `./mdp quarantine ls --all` shows why."}


@app.command()
def replay(
    context: typer.Context,
    keys: Keys = None,
    all_: Annotated[bool, typer.Option("--all", help="Every failed file.")] = False,
    since: From = None,
    until: To = None,
    wait: Wait = False,
    timeout: Timeout = 0,
    strict: Strict = False,
    json_: Json = False,
) -> None:
    """Process failed files again, as if they had just arrived.

    A file is failed if processing failed repeatedly, with errors other than validation errors.

    Example: ./mdp replay --from 2026-11-23 --to 2026-11-24 --wait
    """
    require_wait(wait, timeout, strict)
    wanted = _wanted(keys, all_=all_ or (not keys and bool(since or until)))
    settings = settings_of(context)
    with connect(settings, "loader") as connection:
        versions = ledger.retry_failed(connection, wanted, since=in_utc(since), until=in_utc(until))
        missed = _missed(connection, wanted, versions, "replayed", _INSTEAD)
    _report(versions, "to process again", wait=wait, json_=json_)
    if wait:
        missed += _waited(settings, versions, json_=json_, timeout=timeout, strict=strict)
    _fail(missed)


@quarantine_app.command("replay")
def replay_quarantined(
    context: typer.Context,
    keys: Keys = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything in quarantine that is not loaded yet.")] = False,
    wait: Wait = False,
    timeout: Timeout = 0,
    strict: Strict = False,
    json_: Json = False,
) -> None:
    """Put quarantined originals back into raw as new uploads, to be checked by the current rules.

    Use it after a change of the settings (such as MDP_MAX_REJECTED_SHARE: set it, then `./mdp up`) or of the
    dataset's rules. A file that is itself wrong is quarantined again: fix it and upload it instead.

    Example: ./mdp quarantine replay sales/monday.csv --wait
    """
    require_wait(wait, timeout, strict)
    wanted = _wanted(keys, all_=all_)
    from etl.move_files import put_back  # noqa: PLC0415  imports Polars

    settings = settings_of(context)
    store = ObjectStore(settings)
    with connect(settings, "loader") as connection:
        refused = [f for f in ledger.files_to_review(connection, keys=wanted) if f.state == "quarantined"]
        versions = [(file.key, put_back(store, settings, file)) for file in reversed(refused)]  # oldest first
        missed = _missed(connection, wanted, versions, "put back", _PUT_BACK_INSTEAD)
    _report(versions, "put back into raw", wait=wait, json_=json_)
    if wait:
        missed += _waited(settings, versions, json_=json_, timeout=timeout, strict=strict)
    _fail(missed)


def _wanted(keys: list[str] | None, *, all_: bool) -> list[str] | None:
    """Return the keys that were named; None is all."""
    if bool(keys) == all_:
        raise typer.BadParameter("Name the keys, or use --all.")
    return keys


def _missed(
    connection: Connection,
    wanted: list[str] | None,
    done: list[tuple[str, str]],
    verb: str,
    instead: dict[str, str],
) -> list[str]:
    """Explain for each key that was skipped why it was."""
    missed = []
    for key in dict.fromkeys(wanted or []):
        if key not in {name for name, _ in done}:
            newest = next(iter(ledger.find_files(connection, key=key, limit=1)), None)
            if newest is None:
                missed.append(f"{safe(key)} is not in the ledger. `./mdp files` lists the files it has.")
            else:
                missed.append(f"{safe(key)} is {newest.state}, so it was not {verb}. {instead[newest.state]}")
    return missed


def _report(versions: list[tuple[str, str]], what: str, *, wait: bool, json_: bool) -> None:
    if not json_:
        say({0: "No files", 1: "1 file"}.get(len(versions), f"{len(versions)} files") + f" {what}.")
        if versions and not wait:
            say("`./mdp wait` waits until the platform has processed them.")
    elif not wait:
        print_json([{"key": key, "version": version} for key, version in versions])


def _waited(
    settings: Settings, versions: list[tuple[str, str]], *, json_: bool, timeout: float, strict: bool
) -> list[str]:
    """Wait for the files; return the error of the wait, if it ends with one."""
    try:
        wait_for(settings, versions, json_=json_, timeout=timeout, strict=strict)
    except PermanentError as error:
        return [str(error)]
    return []


def _fail(missed: list[str]) -> None:
    if missed:
        raise PermanentError("\n".join(missed))
