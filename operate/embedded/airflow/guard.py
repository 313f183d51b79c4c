"""What stands between a browser and Airflow's page: host, origin, cookie, headers, and the pace of failed log-ins.

Airflow has no setting for any of these. Its log-in page writes the token into a cookie that scripts can read, under a
name (`_token`) that every Airflow of this machine shares. Here the browser keeps it under a name of the platform's own,
out of reach of scripts.
"""

import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from operate.page import PREFIX

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_TOKEN = "_token"  # noqa: S105  the name of Airflow's cookie
_HOSTS = {"127.0.0.1", "localhost"}
_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; base-uri 'self'; connect-src 'self'; font-src 'self' data:; form-action 'self'; "
        "frame-ancestors 'none'; img-src 'self' data: blob:; object-src 'none'; script-src 'self'; "
        "style-src 'self' 'unsafe-inline'; worker-src 'self' blob:"
    ),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_FAILURES, _SECONDS = 10, 60.0


class Guard:
    """An ASGI application in front of Airflow's.

    Args:
        app: Airflow's.
        cookie: the name under which the browser keeps the token.
    """

    def __init__(self, app: Application, cookie: str) -> None:
        self._app, self._cookie = app, cookie
        self._failures: deque[float] = deque(maxlen=_FAILURES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        log_in = scope["method"] == "POST" and scope["path"].startswith("/auth/token")
        if refusal := _refusal(scope, headers) or (self._pace() if log_in else None):
            await _answer(send, *refusal)
            return
        given = _cookies(headers.get("cookie", ""))
        adopted = given.get(_TOKEN) if self._cookie not in given else None
        if self._cookie in given:
            given[_TOKEN] = given.pop(self._cookie)
        others = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        cookie = "; ".join(f"{name}={value}" for name, value in given.items()).encode("latin-1")
        scope = {**scope, "headers": [*others, (b"cookie", cookie)] if given else others}

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                if log_in and message["status"] == 401:
                    self._failures.append(time.monotonic())
                # The page "Files" is shown in a frame of Airflow's, and has stricter headers of its own.
                own = {} if scope["path"].startswith(f"{PREFIX}/") else _HEADERS
                message["headers"] = self._headers(list(message.get("headers", ())), own, adopted)
            await send(message)

        await self._app(scope, receive, answer)

    def _headers(
        self, headers: list[tuple[bytes, bytes]], own: dict[str, str], adopted: str | None
    ) -> list[tuple[bytes, bytes]]:
        """Return the headers of an answer with our own, and with the token under our name."""
        replaced = {name.encode() for name in own} | {b"set-cookie"}
        result = [(name, value) for name, value in headers if name.lower() not in replaced]
        result += [(name.encode(), value.encode()) for name, value in own.items()]
        prefix = f"{_TOKEN}="
        cookies = [value.decode("latin-1") for name, value in headers if name.lower() == b"set-cookie"]
        cleared = []
        if adopted and not any(cookie.startswith(prefix) for cookie in cookies):
            cookies.append(f"{prefix}{adopted}; Path=/; HttpOnly; SameSite=Lax")
            cleared = [f"{prefix}; Path=/; Max-Age=0"]
        renamed = [cookie.replace(prefix, f"{self._cookie}=", 1) if cookie.startswith(prefix) else cookie
                   for cookie in cookies]  # fmt: skip
        return result + [(b"set-cookie", cookie.encode("latin-1")) for cookie in renamed + cleared]

    def _pace(self) -> tuple[int, str] | None:
        if len(self._failures) == _FAILURES and time.monotonic() - self._failures[0] < _SECONDS:
            return 429, f"More than {_FAILURES} log-ins failed within a minute. Wait a minute."
        return None


def _refusal(scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
    """Return why a request is not let in: it is for another host, or sent by another site's page."""
    host = headers.get("host", "")
    if host.partition(":")[0] not in _HOSTS:
        return 400, "This server answers to 127.0.0.1 and localhost only."
    if scope["method"] in {"GET", "HEAD"} and headers.get("sec-fetch-mode") == "navigate":
        return None  # a link leads here
    own = f"{scope['scheme']}://{host}"
    if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"} or headers.get("origin", own) != own:
        return 403, "A page of another site sent this request. Open Airflow at its own address."
    return None


def _cookies(header: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in header.split(";") if "=" in pair)
    return {name.strip(): value.strip() for name, _, value in pairs}


async def _answer(send: Send, status: int, detail: str) -> None:
    body = json.dumps({"detail": detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
