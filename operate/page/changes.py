"""What a person does with a file as a whole: dismiss, process again, exclude, include."""

from fastapi import APIRouter, HTTPException, Request, Response

from etl.move_files import put_back
from minidata import ledger, rebuild
from minidata.errors import PermanentError
from minidata.ledger import File
from minidata.ledger.contents import contents
from operate.page.html import WATCH, leave
from operate.page.person import Form, Person, PersonDep
from operate.page.platform import FileId, Platform, PlatformDep

router = APIRouter()


@router.post("/files/{file_id}/{action}")
def change(
    request: Request, person: PersonDep, platform: PlatformDep, file_id: FileId, action: str, form: Form
) -> Response:
    """Change a file, then show it."""
    file = platform.file(file_id, person, "POST")
    if action not in _ACTIONS:
        raise HTTPException(404, "There is no such page.")
    _ACTIONS[action](person, platform, file, str(form.get("why", "")).strip() or None)
    done = {"dismiss": "dismissed", "again": "again", "exclude": "excluded", "include": "included"}[action]
    return leave(request, f"/files/{file_id}", done=done, watch=WATCH if action == "again" else 0)


def _dismiss(person: Person, platform: Platform, file: File, why: str | None) -> None:
    if not ledger.dismiss(platform.connection, [file.key], person.name, why):
        raise PermanentError(f"{file.key} is not open, so it was not dismissed.")


def _again(_: Person, platform: Platform, file: File, __: str | None) -> None:
    if file.state == "failed":
        ledger.retry_failed(platform.connection, [file.key])
    elif file.state == "quarantined" and file.open:
        put_back(platform.store, platform.settings, file)
    else:
        raise PermanentError(f"{file.key} is {file.state}, so it was not processed again.")


def _exclude(person: Person, platform: Platform, file: File, why: str | None) -> None:
    if file.state != "archived":
        raise PermanentError(f"{file.key} is {file.state}, so it was not excluded.")
    files = contents(platform.connection, [file.file_id])
    archive = rebuild.Archive(platform.store, platform.settings, platform.connection)
    rebuild.exclude(platform.connection, platform.dataset_of(file), files, archive, who=person.name, why=why)


def _include(_: Person, platform: Platform, file: File, __: str | None) -> None:
    if file.state != "excluded":
        raise PermanentError(f"{file.key} is {file.state}, so it was not included.")
    files = contents(platform.connection, [file.file_id])
    archive = rebuild.Archive(platform.store, platform.settings, platform.connection)
    rebuild.include(platform.connection, platform.dataset_of(file), files, archive)


_ACTIONS = {"dismiss": _dismiss, "again": _again, "exclude": _exclude, "include": _include}
