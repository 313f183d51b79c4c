"""HTTP on loopback, without the caller's proxies."""

import urllib.request
from http.client import HTTPException

from minidata.errors import TransientError


def get(port: int, path: str, what: str) -> bytes:
    """Return the answer of a server on 127.0.0.1.

    Raises:
        TransientError: if it does not answer with success, naming what it is.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return bytes(answer.read())
    except (OSError, HTTPException) as error:
        raise TransientError(f"{what} on port {port} does not answer yet: {error}") from error
