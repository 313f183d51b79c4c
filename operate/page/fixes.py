"""A fix by a form: first a dry run with its verdict, then the same change sent."""

from collections.abc import Mapping
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from minidata.errors import PlatformError
from minidata.ledger import File
from minidata.quarantine.change import Change
from minidata.quarantine.fix import Edit, prepare, send
from minidata.text import require_plain
from operate.page import file as file_page
from operate.page.html import WATCH, leave
from operate.page.person import Form, Person, PersonDep
from operate.page.platform import FileId, Platform, PlatformDep

_TAB = "tab"
router = APIRouter()


@router.post("/files/{file_id}/fix")
def fix(request: Request, person: PersonDep, platform: PlatformDep, file_id: FileId, form: Form) -> Response:
    """Show what a change would do, or do it (`action=send`)."""
    file = platform.file(file_id, person, "POST")
    fields = {name: str(value) for name, value in form.items()}
    try:
        return _fix(request, person, platform, file, fields)
    except PlatformError as error:
        return file_page.page(request, person, platform, file, form=fields, error=str(error))


def _fix(request: Request, person: Person, platform: Platform, file: File, fields: Mapping[str, str]) -> Response:
    change, key = _change(fields), fields.get("key", "").strip() or None
    if not file.open:
        return file_page.page(request, person, platform, file, error=f"It needs no fix: it is {file.state}.")
    if key:
        require_plain([key])
    text = fields.get("text")
    made = prepare(
        platform.store, platform.settings, file, change, key=key,
        edit=None if text is None else _edit(text, platform.dataset_of(file).dialect.encoding),
    )  # fmt: skip
    if not person.may("POST", made.dataset):
        raise HTTPException(403, f"You may not upload files of {made.dataset}.")
    if fields.get("action") == "send":
        send(platform.connection, platform.store, platform.settings, made)
        return leave(request, f"/files/{file.file_id}", done="sent", watch=WATCH)
    return file_page.page(request, person, platform, file, change=change, form=fields, made=made)


def _edit(text: str, encoding: str) -> Edit:
    """Return an edit that puts the text of a form in a file; forms have CRLF wherever a line ends."""

    def edit(path: Path) -> None:
        crlf = b"\r\n" in path.read_bytes()
        path.write_bytes((text if crlf else text.replace("\r\n", "\n")).encode(encoding))

    return edit


def _change(fields: Mapping[str, str]) -> Change:
    """Return the change that a form describes; a cell that was not edited is no part of it."""
    cells, rename = {}, {}
    for name, value in fields.items():
        kind, _, rest = name.partition(":")
        line, colon, column = rest.partition(":")
        if kind == "cell" and colon and line.isdecimal() and value != fields.get(f"was:{rest}"):
            cells[int(line), column] = value
        elif kind == "rename" and value:
            rename[value] = rest
    delimiter = fields.get("delimiter") or None
    return Change(
        rename=rename,
        delimiter="\t" if delimiter == _TAB else delimiter,
        encoding=fields.get("encoding") or None,
        decimal=fields.get("decimal") or None,
        date_format=fields.get("date_format", "").strip() or None,
        cells=cells,
    )
