"""A session with a Superset server, logged in as a person would be."""

import json
import re
from collections.abc import Mapping
from itertools import count
from typing import Any

import httpx

from bi.session import Session
from bi.target import Target
from minidata.errors import PermanentError

RELEASE = 6  # whose interface we know
_PAGE = 100  # dashboards in one answer; Superset gives no more, whatever is asked
_TOKEN = re.compile(r'id="csrf_token"[^>]*?value="([^"]+)"')


class Superset(Session):
    """A session, logged in; use it in a `with` block.

    It logs in by the form. With a token in a header, Superset answers requests that visitors may make as if we were
    a visitor.

    Args:
        target: which server.
        transport: for tests.

    Raises:
        TransientError: if it does not answer.
        PermanentError: if it is of another version, or refuses the log-in.
    """

    def __init__(self, target: Target, transport: httpx.BaseTransport | None = None) -> None:
        super().__init__("Superset", target, "its log (`./mdp logs superset`)", transport)
        try:
            self._require_version()
            self._log_in()
        except BaseException:
            self.close()
            raise

    def export(self) -> bytes:
        """Return every database, dataset, chart and dashboard, zipped."""
        return self.ask("GET", "/api/v1/assets/export/").content

    def load(self, content: bytes, passwords: Mapping[str, str]) -> None:
        """Import zipped objects, all or none; those that are there already are overwritten.

        Args:
            content: the zip.
            passwords: of databases, by the path of their file in the zip.

        Raises:
            PermanentError: if the server refuses them; nothing was changed.
        """
        files = {"bundle": ("mdp.zip", content, "application/zip")}
        self.ask("POST", "/api/v1/assets/import/", files=files, data={"passwords": json.dumps(dict(passwords))})

    def dashboard_roles(self) -> dict[int, set[str]]:
        """Return the names of the roles that each dashboard is published to, by the dashboard's number."""
        roles: dict[int, set[str]] = {}
        for page in count():
            query = f"(columns:!(id,roles.name),page:{page},page_size:{_PAGE})"
            found = self.result(f"/api/v1/dashboard/?q={query}")
            roles |= {item["id"]: {role["name"] for role in item["roles"]} for item in found}
            if len(found) < _PAGE:
                break
        return roles

    def publish(self, dashboard: int, role: str) -> None:
        """Let a role read a dashboard."""
        found = self.result(f"/api/v1/dashboard/related/roles?q=(filter:'{role}',page_size:100)")
        ids = [item["value"] for item in found if item["text"] == role]
        if not ids:
            raise PermanentError(
                f"{self.name} has no role {role}, which anonymous visitors have. "
                "Set AUTH_ROLE_PUBLIC and PUBLIC_ROLE_LIKE in its configuration, and run `superset init`."
            )
        self.ask("PUT", f"/api/v1/dashboard/{dashboard}", json={"roles": ids})

    def delete(self, kind: str, number: int) -> None:
        """Delete an object; one that is gone already is fine."""
        self.ask("DELETE", f"/api/v1/{kind.removesuffix('s')}/{number}", fine=httpx.codes.NOT_FOUND)

    def count_rows(self, view: str, column: str, value: str) -> int:
        """Ask a view as a chart does, and return how many rows have a value in a column.

        Args:
            view: name of a view of `mart` that the dashboards use.
            column: of the view.
            value: to look for.

        Raises:
            PermanentError: if Superset has no such view, or refuses the question.
        """
        views = self.result(f"/api/v1/dataset/?q=(filters:!((col:table_name,opr:eq,value:{view})))")
        if not views:
            raise PermanentError(f"{self.name} does not know the view {view}. `./mdp dashboards apply` adds it.")
        count = {"expressionType": "SIMPLE", "column": {"column_name": column}, "aggregate": "COUNT", "label": "n"}
        rows = {"columns": [], "metrics": [count], "filters": [{"col": column, "op": "==", "val": value}]}
        question = {
            "datasource": {"id": views[0]["id"], "type": "table"},
            "queries": [rows],
            "result_format": "json",
            "result_type": "full",
            "force": True,
        }
        [answer] = self.ask("POST", "/api/v1/chart/data", json=question).json()["result"]
        return int(answer["data"][0]["n"])

    def result(self, path: str) -> Any:
        """Return the result in the JSON of an answer."""
        return self.get(path)["result"]

    def _require_version(self) -> None:
        try:
            version = str(self.get("/static/version_info.json").get("version"))
        except PermanentError as error:
            raise PermanentError(f"The server at {self.target.url} is not Superset. Correct the address.") from error
        if version.split(".", 1)[0] != str(RELEASE):
            raise PermanentError(
                f"{self.name} is {version}; the dashboards are made for {RELEASE}.x. Nothing was changed."
            )

    def _log_in(self) -> None:
        form = {"username": self.target.user, "password": self.target.password}
        token = _TOKEN.search(self.ask("GET", "/login/").text)
        if token:
            form["csrf_token"] = token.group(1)
        self.ask("POST", "/login/", data=form, fine=httpx.codes.FOUND)
        try:
            answer = self.result("/api/v1/security/csrf_token/")
        except PermanentError as error:
            raise PermanentError(
                f"{self.name} refuses the log-in of {self.target.user}: its password is not the one "
                "that it was set up with (MDP_SUPERSET_PASSWORD). Nothing was changed."
            ) from error
        self.headers["X-CSRFToken"] = str(answer)
        self.headers["Referer"] = self.target.url
