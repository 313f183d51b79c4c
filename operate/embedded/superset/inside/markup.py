"""Keeps text that looks like HTML from being drawn as HTML.

Charts put names into the HTML of their tooltips as they are. So a `<` that could begin a tag is followed by a word
joiner (U+2060) in what a chart gets: it is invisible, and with it nothing is a tag, wherever the name is drawn. What
comes back in a filter is stripped of it.
"""

import re
from typing import Any

from flask import Flask, Response, request

_JOINER = "\u2060"
_TAG = re.compile(rb'<(?=[A-Za-z/!?"\\])')
_ENDPOINT = "ChartDataRestApi.data"


def break_tags(app: Flask) -> None:
    """Change the answers to requests for data, and the filters that they send back."""

    @app.before_request
    def restore() -> None:
        asked = request.get_json(silent=True) if request.endpoint == _ENDPOINT else None
        if isinstance(asked, dict) and "queries" in asked:
            asked["queries"] = _restored(asked["queries"])  # in the very object that Superset reads

    @app.after_request
    def break_(response: Response) -> Response:
        if request.endpoint == _ENDPOINT and response.is_json:
            response.set_data(_TAG.sub(b"<" + _JOINER.encode(), response.get_data()))
        return response


def _restored(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(f"<{_JOINER}", "<")
    if isinstance(value, list):
        return [_restored(item) for item in value]
    return {key: _restored(item) for key, item in value.items()} if isinstance(value, dict) else value
