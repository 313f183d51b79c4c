"""The original of a file, or its rejected rows, to save: a browser never shows their content as a page."""

from itertools import chain
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from minidata.quarantine.original import place_of
from operate.page.person import PersonDep
from operate.page.platform import FileId, PlatformDep

router = APIRouter()


@router.get("/files/{file_id}/original")
def original(person: PersonDep, platform: PlatformDep, file_id: FileId) -> StreamingResponse:
    """Send the original."""
    return _send(person, platform, file_id, rejects=False)


@router.get("/files/{file_id}/rejects")
def rejected_rows(person: PersonDep, platform: PlatformDep, file_id: FileId) -> StreamingResponse:
    """Send the rejected rows with the header, unchanged. Uploaded under this name, they close the file."""
    return _send(person, platform, file_id, rejects=True)


def _send(person: PersonDep, platform: PlatformDep, file_id: int, *, rejects: bool) -> StreamingResponse:
    file = platform.file(file_id, person)
    bucket, place = place_of(file, platform.settings, rejects=rejects)
    chunks = platform.store.read(bucket, place)
    chunks = chain([next(chunks, b"")], chunks)  # an object that is gone is an error page, not half a download
    name = quote((place if rejects else file.key).rsplit("/", 1)[-1] or "file", safe="")
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}"}
    return StreamingResponse(chunks, media_type="application/octet-stream", headers=headers)
