"""The ledger with filters, and uploads."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request, Response, UploadFile
from starlette.datastructures import UploadFile as Upload

from minidata import ledger
from minidata.dataset import dataset_of
from minidata.ledger import File, FileState
from minidata.text import require_plain
from operate.page.html import WATCH, leave, render
from operate.page.person import Form, PersonDep
from operate.page.platform import PlatformDep

ROWS = 50
router = APIRouter()


@router.get("/")
def list_files(
    request: Request,
    person: PersonDep,
    platform: PlatformDep,
    state: str = "",
    dataset: str = "",
    prefix: str = "",
    since: str = "",
    until: str = "",
    after: str = "",
) -> Response:
    """List the files that meet the filters, newest first; `after` is the last one of the page before."""
    readable = [name for name in platform.datasets if person.may("GET", name)]
    chosen = [name for name in readable if name == dataset] if dataset else readable
    everything = not dataset and len(readable) == len(platform.datasets)  # files of former datasets, too
    found = ledger.find_files(
        platform.connection,
        state=state if state in set(FileState) else None,
        open_only=state == "open",
        datasets=None if everything else chosen,
        prefix=prefix or None,
        since=_moment(since),
        until=_moment(until),
        after=_place(after),
        limit=ROWS + 1,
    )
    filters = {"state": state, "dataset": dataset, "prefix": prefix, "since": since, "until": until}
    older = urlencode({**filters, "after": _mark(found[ROWS - 1])}) if len(found) > ROWS else None
    return render(
        request,
        "list.html",
        files=found[:ROWS],
        older=older,
        first=not after,
        filters=filters,
        states=[*FileState],
        datasets={name: platform.datasets[name].prefix.strip("/") for name in readable},
        waiting=sum(ledger.count_open(platform.connection).values()),
        may_change=any(person.may("POST", name) for name in readable),
    )


@router.post("/upload")
def upload(request: Request, person: PersonDep, platform: PlatformDep, form: Form) -> Response:
    """Put files into `raw` below a folder, or one file under a given key."""
    if not any(person.may("POST", name) for name in platform.datasets):
        raise HTTPException(403, "You may not upload files.")
    files = [file for file in form.getlist("files") if isinstance(file, Upload | UploadFile) and file.filename]
    folder, key = str(form.get("folder", "")).strip("/"), str(form.get("key", ""))
    if not files or (key and len(files) > 1):
        raise HTTPException(400, "Choose one file." if key else "Choose a file.")
    keys = [key or f"{folder}/{file.filename}".lstrip("/") for file in files]
    require_plain(keys)
    for name in keys:
        dataset = dataset_of(name, platform.datasets.values(), platform.settings.default_dataset)
        if not person.may("POST", dataset):
            raise HTTPException(403, f"You may not upload files of {dataset}.")
    for name, file in zip(keys, files, strict=True):
        platform.store.write(platform.settings.raw_bucket, name, file.file)
    return leave(request, "/", prefix=key or (f"{folder}/" if folder else ""), done="uploaded", watch=WATCH)


def _moment(text: str) -> datetime | None:
    """Read a time of a form, in UTC."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise HTTPException(400, "Write a time like 2026-11-23T18:30 (UTC).") from None
    return at.replace(tzinfo=at.tzinfo or UTC)


def _mark(file: File) -> str:
    return f"{file.arrived_at.isoformat()}~{file.file_id}"


def _place(mark: str) -> tuple[datetime, int] | None:
    at, _, file_id = mark.partition("~")
    moment = _moment(at)
    return (moment, int(file_id)) if moment and file_id.isdecimal() and len(file_id) < 19 else None
