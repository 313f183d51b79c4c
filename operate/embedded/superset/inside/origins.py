"""Refuses what another site's page sends with, or without, the user's log-in."""

from flask import Flask, Response, request

from operate.embedded.superset.inside.visitors import refuse

_OWN = {"same-origin", "none"}  # `none`: typed in, or opened from a bookmark
_HARMLESS = {"GET", "HEAD", "OPTIONS"}


def refuse_other_sites(app: Flask) -> None:
    """Look at each request before its page does. A server on another port of this machine is another site."""

    @app.before_request
    def compare_origins() -> Response | None:
        if request.method in _HARMLESS and request.headers.get("Sec-Fetch-Mode") == "navigate":
            return None  # a link leads here
        origin = request.headers.get("Origin", request.host_url.rstrip("/"))
        if request.headers.get("Sec-Fetch-Site", "none") in _OWN and origin == request.host_url.rstrip("/"):
            return None
        return refuse(403, "A page of another site sent this request. Open the dashboards at their own address.")
