"""Who asks, what they may do, and whether their own browser's page sent the request."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request
from starlette.datastructures import FormData

from minidata.settings import load_settings

_FORM_BYTES = 2**20  # of the fields beside the files


@dataclass(frozen=True)
class Person:
    """A person with a log-in.

    Attributes:
        name: of the log-in.
        may: whether they may read (`GET`) or change (`POST`) the files of a dataset.
    """

    name: str
    may: Callable[[Literal["GET", "POST"], str], bool]


def person() -> Person:
    """Let nobody in: `create_app` puts the answer of Airflow in the place of this one."""
    raise HTTPException(401, "Log in first.")


def require_own_page(request: Request) -> None:
    """Check that a change was sent by a page of this server: browsers send the cookie with other sites' forms too."""
    if request.method in {"GET", "HEAD"}:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None:
        own = origin is not None and urlsplit(origin).netloc == request.headers.get("host")
    else:
        own = site == "same-origin"
    if not own:
        raise HTTPException(403, "A page of another site sent this request. Open the page Files in Airflow.")


async def posted(request: Request) -> AsyncIterator[FormData]:
    """Read a form, once the person and the origin are known.

    A dependency, because FastAPI would read a declared body before it asks who sent it.
    """
    most = load_settings().max_file_bytes
    if not 0 <= int(request.headers.get("content-length", "-1")) <= most + _FORM_BYTES:
        raise HTTPException(413, f"The files are larger than {most:,} bytes together, which is MDP_MAX_FILE_BYTES.")
    async with request.form(max_part_size=_FORM_BYTES) as form:
        yield form


PersonDep = Annotated[Person, Depends(person)]
Form = Annotated[FormData, Depends(posted)]
