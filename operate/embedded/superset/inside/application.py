"""Superset's application, and what can only be changed once it is made: who is let in, its pages, its answers."""

import re
from pathlib import Path

import numpy as np
import simplejson
from flask import Flask, Response, request
from jinja2 import ChoiceLoader, FileSystemLoader

from operate.embedded.superset.inside.log_ins import remember_log_ins
from operate.embedded.superset.inside.markup import break_tags
from operate.embedded.superset.inside.origins import refuse_other_sites
from operate.embedded.superset.inside.paces import keep_paces
from operate.embedded.superset.inside.start_page import add_start_page
from operate.embedded.superset.inside.visitors import admit_visitors
from operate.embedded.superset.inside.whole_numbers import make_drawable

_TEMPLATES = Path(__file__).with_name("templates")
_DATA = re.compile(r"/api/v1/chart/(\d+/)?data/?")
_LONG = re.compile(rb"[0-9]{16}")


def create_app() -> Flask:
    """Return Superset's application; gunicorn and the set-up start here.

    Superset 6.1 uses two names that numpy 2 has removed. Python 3.13 needs numpy 2, so they are set before
    Superset's modules are imported.
    """
    if not hasattr(np, "NaN"):
        np.NaN, np.product = np.nan, np.prod
    from superset.app import create_app as create  # noqa: PLC0415

    return create()


def finish(app: Flask) -> None:
    """Change the application; Superset calls this (`FLASK_APP_MUTATOR`) before it makes its pages."""
    for guard in (refuse_other_sites, keep_paces, admit_visitors, break_tags, remember_log_ins):
        guard(app)
    add_start_page(app)
    app.jinja_loader = ChoiceLoader([FileSystemLoader(_TEMPLATES), app.jinja_loader])
    app.after_request(_make_drawable)
    for theme in ("THEME_DEFAULT", "THEME_DARK"):
        app.config[theme]["token"] |= app.config["THEME_TOKENS"]


def _make_drawable(response: Response) -> Response:
    """Change the data of a chart that holds a number which the page cannot draw; other answers are unchanged."""
    if _DATA.fullmatch(request.path) and response.is_json and _LONG.search(response.get_data()):
        answer = simplejson.loads(response.get_data(), use_decimal=True)
        form = (request.get_json(silent=True) or {}).get("form_data") or {}
        for result in answer.get("result") or []:
            make_drawable(result, is_table=form.get("viz_type") == "table")
        response.set_data(simplejson.dumps(answer, use_decimal=True))
    return response
