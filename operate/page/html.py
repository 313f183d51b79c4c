"""Pages from templates: everything that is put into them is escaped."""

from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from minidata.text import safe

FOLDER = Path(__file__).parent / "templates"
# What was done, by the word in the address; the address itself is not shown.
DONE = {
    "sent": "The fix was sent. It is checked and loaded now.",
    "uploaded": "Uploaded. The files appear below and are checked and loaded now.",
    "dismissed": "Dismissed.",
    "again": "It is processed again now.",
    "excluded": "Excluded: the tables are as if the file had never arrived.",
    "included": "Included: its rows are in the tables again.",
}
WATCH = 20
"""How often a page loads itself again after a change, so that it shows what comes of it."""


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %T}" if at else ""


def _bytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB" if size >= 2**20 else f"{size / 1024:,.1f} KiB" if size >= 1024 else f"{size} B"


_environment = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_environment.filters |= {"safe_text": safe, "time": _time, "bytes": _bytes}
del _environment.filters["safe"], _environment.filters["tojson"]  # nothing gets around the escapes


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page; `base` is the address of the first one."""
    watch = int(request.query_params.get("watch", "0")) if request.query_params.get("watch", "0").isdecimal() else 0
    later = urlencode({**request.query_params, "watch": min(watch, WATCH) - 1}) if watch else None
    text = _environment.get_template(template).render(
        base=request.scope.get("root_path", ""),
        done=DONE.get(request.query_params.get("done", "")),
        later=later,
        **values,
    )
    return HTMLResponse(text, status)


def leave(request: Request, path: str, **query: str | int) -> RedirectResponse:
    """Go to a page after a change, so that loading it again changes nothing."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}{path}?{urlencode(query)}", 303)
