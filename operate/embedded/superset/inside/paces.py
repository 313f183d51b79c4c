"""How much and how often one address may send without a log-in, and how often it may fail to log in."""

from flask import Flask, Response, request
from flask_login import current_user
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from operate.embedded.superset.inside.visitors import is_visitor, refuse

_QUERIES = parse("600/minute")
_LARGEST = 256 * 1024  # bytes of a request
_FAILURES = parse("10/minute")
_LOG_INS = {"AuthDBView.login", "SupersetAuthView.login", "SecurityApi.login"}


def keep_paces(app: Flask) -> None:
    """Count; what comes too often answers 429, and what is too large 413."""
    window = FixedWindowRateLimiter(MemoryStorage())

    def weigh() -> Response | None:
        length = request.content_length
        too_large = "Transfer-Encoding" in request.headers if length is None else length > _LARGEST
        if too_large and is_visitor():
            return refuse(413, f"Without a log-in, a request has at most {_LARGEST} bytes.")
        return None

    app.before_request_funcs.setdefault(None, []).insert(0, weigh)  # before anything reads the request

    @app.before_request
    def count() -> Response | None:
        here = request.remote_addr or ""
        if request.endpoint == "ChartDataRestApi.data" and is_visitor() and not window.hit(_QUERIES, here, "query"):
            return _wait(f"More than {_QUERIES} without a log-in")
        if _is_log_in() and not window.test(_FAILURES, here, "failure"):
            return _wait(f"More than {_FAILURES} failed log-ins")
        return None

    @app.after_request
    def count_failures(response: Response) -> Response:
        if _is_log_in() and (response.status_code == 401 or (response.status_code < 400 and _still_outside())):
            window.hit(_FAILURES, request.remote_addr or "", "failure")
        return response


def _is_log_in() -> bool:
    return request.method == "POST" and request.endpoint in _LOG_INS


def _still_outside() -> bool:
    return request.endpoint != "SecurityApi.login" and bool(current_user.is_anonymous)


def _wait(what: str) -> Response:
    response = refuse(429, f"{what}. Wait a minute.")
    response.headers["Retry-After"] = "60"
    return response
