"""One file: its story, what is wrong in it, and what can be done."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from minidata import ledger
from minidata.contract import describe
from minidata.errors import PlatformError
from minidata.ledger import File
from minidata.quarantine.change import Change
from minidata.quarantine.findings import Excerpt, excerpt, find_entries
from minidata.quarantine.fix import Fix, in_words
from operate.page.html import render
from operate.page.person import Person, PersonDep
from operate.page.platform import FileId, Platform, PlatformDep

ENTRIES, RECORDS = 50, 20  # shown at most
_SHOWN_BYTES = 64 * 2**20  # a larger original is not read for a page
EDITED_BYTES = 256 * 2**10  # of a text that can be edited in the page
router = APIRouter()


@router.get("/files/{file_id}")
def show(request: Request, person: PersonDep, platform: PlatformDep, file_id: FileId) -> Response:
    """Show a file."""
    return page(request, person, platform, platform.file(file_id, person))


def page(
    request: Request,
    person: Person,
    platform: Platform,
    file: File,
    *,
    change: Change | None = None,
    form: Mapping[str, str] | None = None,
    made: Fix | None = None,
    error: str | None = None,
) -> Response:
    """Return the page of a file; after a dry run with the form as it was filled in, and what came of it."""
    wrong = bool(file.reasons or file.rows_rejected)
    entries, seen, problem = [], None, None
    try:
        if wrong:
            entries = find_entries(platform.connection, platform.store, platform.settings, file, ENTRIES)
        if wrong and file.archive_key:
            seen = excerpt(
                platform.store, platform.settings, file, entries, RECORDS,
                change=change, max_bytes=_SHOWN_BYTES, text_bytes=EDITED_BYTES,
            )  # fmt: skip
    except PlatformError as reason:
        problem = str(reason)
    return render(
        request,
        "file.html",
        409 if error else 200,
        file=file,
        versions=ledger.find_files(platform.connection, key=file.key),
        entries=[entry for entry in entries if entry["line"]][:ENTRIES],
        counts=[(describe(code), number) for code, number in file.counts.items()],
        seen=seen,
        cells=_wrong_cells(seen) if seen else [],
        names=[(name, name) for name in seen.unknown] if seen else [],
        problem=problem,
        form=form if form is not None else _filled_in(seen),
        made=made,
        verdicts=made and [in_words(made.before), in_words(made.after)],
        error=error,
        may_change=person.may("POST", file.dataset),
    )


def _wrong_cells(seen: Excerpt) -> list[tuple[int, str, str]]:
    """Return line, column and text of each wrong cell that is shown."""
    return [(r.line, name, cell) for r in seen.records for name, cell in r.cells if name in r.wrong]


def _filled_in(seen: Excerpt | None) -> dict[str, str]:
    """Return the form with the change that the file seems to need."""
    if seen is None:
        return {}
    change = seen.change
    names = {f"rename:{column}": name for name, column in change.rename.items()}
    return {"delimiter": change.delimiter or "", "encoding": change.encoding or "", **names}
