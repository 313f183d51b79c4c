"""The application: its routes behind the log-in, its headers, and its errors as pages."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse
from starlette.exceptions import HTTPException

from minidata.errors import PlatformError, TransientError
from operate.page import changes, download, file, fixes, listing
from operate.page.html import FOLDER, render
from operate.page.person import Person, person, require_own_page

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
}


def create_app(asks: Callable[..., Person]) -> FastAPI:
    """Make the application.

    Args:
        asks: a FastAPI dependency that returns the person who asks, or raises an HTTPException.
    """
    app = FastAPI(
        title="Files",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(person), Depends(require_own_page)],
    )
    app.dependency_overrides[person] = asks
    for routes in (listing, file, download, fixes, changes):
        app.include_router(routes.router)

    @app.get("/style.css")
    def style() -> FileResponse:
        return FileResponse(Path(FOLDER) / "style.css")

    @app.middleware("http")
    async def headers(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await answer(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> HTMLResponse:
        return render(request, "error.html", error.status_code, message=error.detail)

    @app.exception_handler(RequestValidationError)
    async def wrong(request: Request, _: RequestValidationError) -> HTMLResponse:
        return render(request, "error.html", 400, message="The address has a value that it cannot have.")

    @app.exception_handler(PlatformError)
    async def failed(request: Request, error: PlatformError) -> HTMLResponse:
        return render(request, "error.html", 503 if isinstance(error, TransientError) else 409, message=str(error))

    return app
