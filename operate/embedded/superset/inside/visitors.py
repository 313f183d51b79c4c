"""What is open to a visitor, who has no log-in: the published dashboards, and the questions that their charts ask.

Everything else answers 401, or leads to the log-in. Superset's own permissions hold as well.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from flask import Flask, Response, abort, jsonify, redirect, request, url_for
from flask_jwt_extended import verify_jwt_in_request
from flask_login import current_user
from superset import db, security_manager
from superset.exceptions import SupersetSecurityException
from superset.utils import json

from operate.embedded.superset.inside.questions import RefusedError, check
from operate.embedded.superset.inside.saved import Saved, label, values

_DATA = "ChartDataRestApi.data"
_OPEN = {
    _DATA,
    "Api.time_range",
    "AuthDBView.login",
    "AuthDBView.logout",
    "CurrentUserRestApi.get_me",
    "CurrentUserRestApi.get_my_roles",
    "DashboardRestApi.get",
    "DashboardRestApi.get_charts",
    "DashboardRestApi.get_datasets",
    "DashboardRestApi.get_tabs",
    "SecurityApi.login",
    "SecurityApi.refresh",
    "SecurityRestApi.csrf_token",
    "Superset.dashboard",
    "Superset.dashboard_permalink",
    "Superset.language_pack",
    "SupersetAuthView.login",
    "SupersetAuthView.logout",
    "SupersetIndexView.index",
}
_FREE = {None, "appbuilder.static", "health.health", "static"}  # the same for everyone; None is not found
_CLOSED = {"LocaleView.index", "SupersetIndexView.patch_flask_locale"}  # the page has one language
# A page reports to these by itself. Nothing is kept of a visitor.
_UNHEARD = {"DashboardRestApi.put_colors", "Superset.log"}
_OPTION_ROWS = 1_000  # of the values that a filter lists
_DIMENSIONS = ("groupby", "columns", "all_columns", "x_axis", "entity", "series")


def admit_visitors(app: Flask) -> None:
    """Look at each request before its page does."""

    @app.before_request
    def admit() -> Response | None:
        endpoint = request.endpoint
        if endpoint in _CLOSED:
            abort(404)
        if endpoint in _FREE or not is_visitor():
            return None
        if endpoint in _UNHEARD:
            return jsonify(result={})
        if endpoint not in _OPEN:
            return _log_in()
        return _ask() if endpoint == _DATA else None


def is_visitor() -> bool:
    """Tell whether a request comes without a log-in, and without a valid token in its header."""
    if request.headers.get("Authorization", "").startswith("Bearer "):
        with suppress(Exception):  # whatever is wrong with a token, it is none
            verify_jwt_in_request()
            return False
    return bool(current_user.is_anonymous)


def _log_in() -> Response:
    if request.method == "GET" and not request.path.startswith("/api/") and request.accept_mimetypes.accept_html:
        return redirect(url_for("SupersetAuthView.login", next=request.full_path.rstrip("?")))
    return refuse(401, "This needs a log-in.")


def refuse(status: int, message: str) -> Response:
    """Answer a request that is not let in."""
    response: Response = jsonify(message=message)
    response.status_code = status
    return response


def _ask() -> Response | None:
    """Compare a request for data with the chart or filter that it names; the stored form replaces its own."""
    if request.mimetype != "application/json":
        return refuse(415, "Send the request as application/json.")
    asked = request.get_json()  # the very object that Superset reads next
    try:
        form = asked.pop("form_data")
        saved, kept = _stored(form)
        check(asked, saved)
    except RefusedError as error:
        return refuse(
            403,
            "Without a log-in, the charts of published dashboards can be asked for as they are saved, with the filters "
            f"of their dashboard. This request is another one: {error}. Log in to explore the data.",
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return refuse(400, "The request names no chart and no filter of a dashboard.")
    asked["form_data"] = kept
    return None


def _stored(form: Mapping[str, Any]) -> tuple[Saved, dict[str, Any]]:
    """Return the question that a form names, and the form that Superset gets: what is stored, and where."""
    from superset.models.dashboard import Dashboard  # noqa: PLC0415  needs the application

    dashboard = db.session.get(Dashboard, int(form["dashboardId"]))
    try:
        security_manager.raise_for_access(dashboard=dashboard)
    except SupersetSecurityException as error:
        raise RefusedError("its dashboard is not published") from error
    if dashboard is None or not dashboard.published:
        raise RefusedError("its dashboard is not published")
    place = {"dashboardId": dashboard.id}
    targets = list(_targets(dashboard))
    filterable = {column for _, _, column in targets} | set(_clickable(dashboard))
    if form.get("type") == "NATIVE_FILTER":
        for name, dataset, column in targets:
            if name == form.get("native_filter_id"):
                options = {"groupby": [column], "row_limit": _OPTION_ROWS}
                kept = {"type": "NATIVE_FILTER", "native_filter_id": name}
                return Saved(dataset, options, frozenset(filterable), column), kept | place
    for chart in dashboard.slices:
        if chart.id == form.get("slice_id"):
            stored = json.loads(chart.query_context or "{}")
            steps = [step for query in stored.get("queries", ()) for step in query.get("post_processing") or ()]
            saved = Saved(chart.datasource_id, chart.params_dict, frozenset(filterable), steps=tuple(steps))
            return saved, chart.params_dict | {"slice_id": chart.id} | place
    raise RefusedError("its dashboard has no such chart or filter")


def _targets(dashboard: Any) -> Iterator[tuple[str, int, str]]:
    """Yield the filters of a dashboard that list values: name, number of the dataset, column."""
    for filter_ in json.loads(dashboard.json_metadata or "{}").get("native_filter_configuration", ()):
        for target in filter_.get("targets", ()):
            if "column" in target:
                yield filter_["id"], target["datasetId"], target["column"]["name"]


def _clickable(dashboard: Any) -> Iterator[str]:
    """Yield the columns whose values the charts of a dashboard show: a click on one filters the others by it."""
    for chart in dashboard.slices:
        yield from (label(value) for value in values(chart.params_dict, *_DIMENSIONS) if isinstance(value, str))
