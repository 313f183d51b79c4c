"""`mdp replay` and `mdp quarantine replay`: another chance for what is not in."""

from typing import Annotated

import typer

from minidata import ledger
from minidata.errors import PermanentError
from minidata.ledger import File
from minidata.quarantine import put_back
from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection, connect
from operate.cli.app import app, settings_of
from operate.cli.files import quarantine_app
from operate.cli.objects import Strict, Timeout, Wait, require_wait, wait_for
from operate.cli.output import console, print_json

Keys = Annotated[list[str] | None, typer.Argument(metavar="KEY", help="As `./mdp files` shows them.")]
Json = Annotated[bool, typer.Option("--json", help="For a script.")]

# Why a file in a state is not taken up, and what to do instead.
_INSTEAD = {
    "pending": "It is on its way already: `./mdp wait`.",
    "claimed": "It is on its way already: `./mdp wait`.",
    "loaded": "It is in; loading it again would change nothing.",
    "archived": "It is in; loading it again would change nothing.",
    "invalid": "It is on its way to quarantine. Try again in a moment: `./mdp quarantine replay`.",
    "quarantined": "It was refused: `./mdp quarantine show` tells why, `./mdp quarantine replay` sends it again.",
    "superseded": "It was gone before it could be read. Upload it again: `./mdp upload`.",
    "failed": "It could not be read to its end: `./mdp replay` tries again.",
    "excluded": "A person took it out. Upload it again if it is to come back: `./mdp upload`.",
}
_PUT_BACK_INSTEAD = _INSTEAD | {"quarantined": "Its content has come in since, perhaps under another key."}


@app.command()
def replay(
    context: typer.Context,
    keys: Keys = None,
    all_: Annotated[bool, typer.Option("--all", help="Every failed file.")] = False,
    wait: Wait = False,
    timeout: Timeout = 0,
    strict: Strict = False,
    json_: Json = False,
) -> None:
    """Try failed files again, as if they had just come.

    A file fails when it could not be processed after several attempts, for whatever reason but its content.

    Example: ./mdp replay youtube_stats/snapshot.csv --wait
    """
    require_wait(wait, timeout, strict)
    wanted = _wanted(keys, all_=all_)
    settings = settings_of(context)
    with connect(settings, "loader") as connection:
        versions = ledger.retry_failed(connection, wanted)
        missed = _missed(connection, wanted, versions, "replayed", _INSTEAD)
    _tell(versions, "Trying {} again.", wait=wait, json_=json_)
    _conclude(settings, versions, missed, wait=wait, timeout=timeout, strict=strict, json_=json_)


@quarantine_app.command("replay")
def replay_quarantined(
    context: typer.Context,
    keys: Keys = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything in quarantine that is not in yet.")] = False,
    wait: Wait = False,
    timeout: Timeout = 0,
    strict: Strict = False,
    json_: Json = False,
) -> None:
    """Put quarantined originals back into raw as new uploads, to be judged by the rules of now.

    For when settings (say MDP_MAX_REJECTED_SHARE: set it, then `./mdp up`) or the dataset's rules have changed.
    A file that is itself wrong is quarantined again: mend it and upload it instead.

    Example: ./mdp quarantine replay youtube_stats/snapshot.csv --wait
    """
    require_wait(wait, timeout, strict)
    wanted = _wanted(keys, all_=all_)
    settings = settings_of(context)
    store = ObjectStore(settings)
    with connect(settings, "loader") as connection:
        refused = [f for f in ledger.refused_files(connection, keys=wanted) if f.state == "quarantined"]
        versions = [(file.key, put_back(store, settings, file)) for file in reversed(refused)]  # oldest first
        missed = _missed(connection, wanted, versions, "put back", _PUT_BACK_INSTEAD)
    _tell(versions, "Put {} back into raw.", wait=wait, json_=json_)
    _conclude(settings, versions, missed, wait=wait, timeout=timeout, strict=strict, json_=json_)


def _wanted(keys: list[str] | None, *, all_: bool) -> list[str] | None:
    """Return the keys that are meant; None is all."""
    if bool(keys) == all_:
        raise typer.BadParameter("Name the keys, or say --all.")
    return keys


def _missed(
    connection: Connection,
    wanted: list[str] | None,
    done: list[tuple[str, str]],
    verb: str,
    instead: dict[str, str],
) -> list[str]:
    """Explain why a key was skipped."""
    missed = []
    for key in dict.fromkeys(wanted or []):
        if key not in {name for name, _ in done}:
            newest: File | None = next(iter(ledger.find_files(connection, key=key, limit=1)), None)
            if newest is None:
                missed.append(f"{key} is not in the ledger. `./mdp files` lists what is.")
            else:
                missed.append(f"{key} is {newest.state}, so it was not {verb}. {instead[newest.state]}")
    return missed


def _tell(versions: list[tuple[str, str]], sentence: str, *, wait: bool, json_: bool) -> None:
    """Say what was done."""
    if not json_:
        console.print(sentence.format({0: "nothing", 1: "1 file"}.get(len(versions), f"{len(versions)} files")))
        if versions and not wait:
            console.print("`./mdp wait` tells what becomes of them.")
    elif not wait:
        print_json([{"key": key, "version": version} for key, version in versions])


def _conclude(
    settings: Settings,
    versions: list[tuple[str, str]],
    missed: list[str],
    *,
    wait: bool,
    timeout: float,
    strict: bool,
    json_: bool,
) -> None:
    """Wait for what becomes of the files if that is wanted; in the end fail if something was missed."""
    if wait:
        try:
            wait_for(settings, versions, json_=json_, timeout=timeout, strict=strict)
        except PermanentError as error:
            missed = [*missed, str(error)]
    if missed:
        raise PermanentError("\n".join(missed))
