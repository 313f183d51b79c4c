"""One session with a Superset server: a log-in as a person has it, and errors in words."""

import json
import re
from collections.abc import Mapping
from itertools import count
from types import TracebackType
from typing import Any, Self

import httpx

from bi.superset.target import Target
from minidata.errors import PermanentError, PlatformError, TransientError

RELEASE = 6  # whose interface we know
_PAGE = 100  # dashboards in one answer; it gives no more, whatever is asked
_SECONDS = httpx.Timeout(120, connect=5)
_TOKEN = re.compile(r'id="csrf_token"[^>]*?value="([^"]+)"')


class Superset:
    """A session, logged in; use it in a `with` block.

    It is a log-in by form. With a token in a header, Superset answers whatever visitors may see as if we were one.

    Args:
        target: which server.
        transport: for tests.

    Raises:
        TransientError: if it does not answer.
        PermanentError: if it is of another version, or does not let us in.
    """

    def __init__(self, target: Target, transport: httpx.BaseTransport | None = None) -> None:
        self.target = target
        # trust_env: a proxy or .netrc of the user's has no say in where a password goes.
        self._http = httpx.Client(
            base_url=target.url.rstrip("/"), timeout=_SECONDS, trust_env=False, transport=transport
        )
        try:
            self._require_version()
            self._log_in()
        except BaseException:
            self._http.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def export(self) -> bytes:
        """Return every database, dataset, chart and dashboard, zipped."""
        return self._ask("GET", "/api/v1/assets/export/").content

    def load(self, content: bytes, passwords: Mapping[str, str]) -> None:
        """Import zipped objects, all or none; those that are there already are overwritten.

        Args:
            content: the zip.
            passwords: of databases, by the path of their file in the zip.

        Raises:
            PermanentError: if the server refuses them; nothing was changed.
        """
        self._ask(
            "POST",
            "/api/v1/assets/import/",
            files={"bundle": ("mdp.zip", content, "application/zip")},
            data={"passwords": json.dumps(dict(passwords))},
        )

    def dashboard_roles(self) -> dict[int, set[str]]:
        """Return the names of the roles that each dashboard is published to, by the dashboard's number."""
        roles: dict[int, set[str]] = {}
        for page in count():
            query = f"(columns:!(id,roles.name),page:{page},page_size:{_PAGE})"
            found = self._json("GET", f"/api/v1/dashboard/?q={query}")["result"]
            roles |= {item["id"]: {role["name"] for role in item["roles"]} for item in found}
            if len(found) < _PAGE:
                break
        return roles

    def publish(self, dashboard: int, role: str) -> None:
        """Let a role read a dashboard."""
        found = self._json("GET", f"/api/v1/dashboard/related/roles?q=(filter:'{role}',page_size:100)")
        ids = [item["value"] for item in found["result"] if item["text"] == role]
        if not ids:
            raise PermanentError(
                f"Superset at {self.target.url} has no role {role}, which anonymous visitors have. "
                "Set AUTH_ROLE_PUBLIC and PUBLIC_ROLE_LIKE in its configuration, and run `superset init`."
            )
        self._ask("PUT", f"/api/v1/dashboard/{dashboard}", json={"roles": ids})

    def delete(self, kind: str, number: int) -> None:
        """Delete an object; one that is gone already is fine."""
        self._ask("DELETE", f"/api/v1/{kind.removesuffix('s')}/{number}", fine=httpx.codes.NOT_FOUND)

    def _require_version(self) -> None:
        try:
            version = str(self._json("GET", "/static/version_info.json").get("version"))
        except PermanentError as error:
            raise PermanentError(f"What answers at {self.target.url} is no Superset. Correct the address.") from error
        if version.split(".", 1)[0] != str(RELEASE):
            raise PermanentError(
                f"Superset at {self.target.url} is {version}; the dashboards are made for {RELEASE}.x. "
                "Nothing was changed."
            )

    def _log_in(self) -> None:
        form = {"username": self.target.user, "password": self.target.password}
        token = _TOKEN.search(self._ask("GET", "/login/").text)
        if token:
            form["csrf_token"] = token.group(1)
        self._ask("POST", "/login/", data=form, fine=httpx.codes.FOUND)
        try:
            answer = self._json("GET", "/api/v1/security/csrf_token/")
        except PermanentError as error:
            raise PermanentError(
                f"Superset at {self.target.url} does not let {self.target.user} in: its password is not the one "
                "that it was set up with (MDP_SUPERSET_PASSWORD). Nothing was changed."
            ) from error
        self._http.headers["X-CSRFToken"] = str(answer["result"])
        self._http.headers["Referer"] = self.target.url

    def _json(self, method: str, path: str) -> Any:
        try:
            return self._ask(method, path).json()
        except ValueError as error:
            raise PermanentError(f"{method} {path} at {self.target.url} is answered, but not with JSON.") from error

    def _ask(self, method: str, path: str, fine: int | None = None, **arguments: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **arguments)
        except httpx.TimeoutException as error:
            raise TransientError(
                f"Superset at {self.target.url} did not answer {method} {path} within {_SECONDS.read:.0f} s. "
                "It is overloaded or stuck; see `./mdp logs superset`, then run the same command again."
            ) from error
        except httpx.HTTPError as error:
            raise TransientError(
                f"Superset at {self.target.url} cannot be reached ({error}). Is it running? See `./mdp status`."
            ) from error
        if answer.is_success or answer.status_code == fine:
            return answer
        raise self._refusal(answer, method, path)

    def _refusal(self, answer: httpx.Response, method: str, path: str) -> PlatformError:
        said = _message(answer)
        what = (
            f"Superset at {self.target.url} answers {method} {path.partition('?')[0]} with {answer.status_code}: {said}"
        )
        if answer.status_code in (502, 503, 504):
            return TransientError(f"{what}. It is starting or overloaded; try again in a minute.")
        if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
            return PermanentError(f"{what}. Nothing was changed; the cause is in its log (`./mdp logs superset`).")
        return PermanentError(what)


def _message(answer: httpx.Response) -> str:
    """Return what an answer says in words; some errors come as pages."""
    if "json" in answer.headers.get("content-type", ""):
        return answer.text[:1000]
    return re.sub(r"\s+", " ", re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", answer.text, flags=re.DOTALL))[:200]
