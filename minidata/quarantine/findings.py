"""What is wrong in a file, for a person: the entries, and the records that have them."""

from collections import defaultdict
from dataclasses import replace
from typing import Any, NamedTuple

from minidata import ledger
from minidata.contract.header import close_name, unmatched
from minidata.contract.looks import HEAD_BYTES, guess
from minidata.errors import PermanentError
from minidata.ledger import File
from minidata.quarantine.change import Change
from minidata.quarantine.fix import judge
from minidata.quarantine.original import (
    Record,
    as_text,
    declared,
    first_lines,
    header_of,
    open_original,
    open_text,
    records_around,
    whole_text,
)
from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection

Entries = list[dict[str, Any]]
"""`line`, `column`, `code`, `value` of each broken rule."""

_FIRST_LINES = 3


def find_entries(
    connection: Connection, store: ObjectStore, settings: Settings, file: File, limit: int | None = None
) -> Entries:
    """Return what is wrong in a file, at least the first `limit` entries if it has as many.

    The ledger keeps those of the first thousand rejected records; the others are found in the original.
    """
    entries = ledger.file_entries(connection, file.file_id)
    kept = len({entry["line"] for entry in entries})
    if not 0 < kept < (file.rows_rejected or 0) or (limit is not None and limit <= kept):
        return entries
    dataset = declared(file, settings)
    with open_original(store, settings, file) as original:
        verdict = judge(original, file.key, file.arrived_at, dataset, settings, kept=file.rows_rejected)
    return [entry._asdict() for entry in verdict.entries]


class Excerpt(NamedTuple):
    """What a person sees of a file.

    Attributes:
        records: the first ones with an entry, and their neighbours.
        lines: the first lines of a file without any.
        missing: required columns of the dataset that the header lacks.
        unknown: names in the header that the dataset does not know.
        change: the one that the file seems to need.
        text: the whole file, if it is short and text.
    """

    records: list[Record]
    lines: list[str]
    missing: list[str]
    unknown: list[str]
    change: Change
    text: str | None


def excerpt(
    store: ObjectStore,
    settings: Settings,
    file: File,
    entries: Entries,
    limit: int,
    *,
    change: Change | None = None,
    max_bytes: int | None = None,
    text_bytes: int = 0,
) -> Excerpt:
    """Read what a person needs to see of a file to fix it.

    Args:
        store: with the pipeline's key.
        settings: names of the buckets.
        file: that has been validated.
        entries: of the file.
        limit: records with an entry, at most.
        change: how to read its header; else as it seems to be written.
        max_bytes: of a file that is read, stored and decompressed.
        text_bytes: of a file whose whole text is returned.

    Raises:
        PermanentError: if the original is gone, too large or no text.
    """
    most = max_bytes or settings.max_file_bytes
    if file.size > most:
        raise PermanentError(f"{file.key} is larger than {most:,} bytes.")
    dataset = as_text(declared(file, settings), file.key)
    wrong: dict[int, set[str | None]] = defaultdict(set)
    for entry in entries:
        if entry["line"] and (entry["line"] in wrong or len(wrong) < limit):
            wrong[entry["line"]].add(entry["column"])
    with (
        open_original(store, settings, file) as original,
        open_text(original, file, settings.model_copy(update={"max_file_bytes": most})) as text,
    ):
        head = text.read(HEAD_BYTES)
        seems = guess(head, dataset) if file.reasons else {}
        needed = change or Change(delimiter=seems.get("delimiter"), encoding=seems.get("encoding"))
        names = header_of(text, needed, dataset)
        missing, unknown = unmatched(names, dataset.columns)
        if change is None:
            close = {column: close_name(column, unknown) for column in missing}
            needed = replace(needed, rename={name: column for column, name in close.items() if name})
        found = list(records_around(text, wrong, dataset)) if wrong else []
        return Excerpt(
            [r._replace(wrong=frozenset(wrong[r.line])) if r.asked else r for r in found],
            [] if wrong else first_lines(text, _FIRST_LINES),
            missing,
            unknown,
            needed,
            whole_text(text, text_bytes, dataset.dialect.encoding),
        )
