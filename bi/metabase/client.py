"""A session with a Metabase server."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from bi.session import Session
from bi.target import Target
from minidata.errors import PermanentError, TransientError

NAME = "Mini Data Platform"  # of the site, the database and the collection
OLDEST = 57  # v0.57 is the first release whose requests we know


class Metabase(Session):
    """A session; use it in a `with` block.

    Args:
        target: which server.
        transport: for tests.

    Attributes:
        fresh: whether the server has no administrator yet; known after `wait_until_ready`.
    """

    def __init__(self, target: Target, transport: httpx.BaseTransport | None = None) -> None:
        super().__init__("Metabase", target, "its log", transport)
        self.fresh = False
        self._setup_token: str | None = None

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Send a request that changes something, and return the JSON of the answer.

        Raises:
            PlatformError: as `ask`.
        """
        return self.json(self.ask(method, path, json=dict(body)), f"{method} {path}")

    def wait_until_ready(self, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        """Wait for a server that starts, and learn its version and whether it was set up.

        Raises:
            TransientError: if it is down, or not ready in time.
            PermanentError: if something else answers there, or its version is too old.
        """
        end = time.monotonic() + seconds
        while True:
            try:
                self.get("/api/health")
                break
            except TransientError:
                if time.monotonic() >= end:
                    raise
                sleep(1)
        properties = self.get("/api/session/properties")
        if not isinstance(properties, dict) or not isinstance(properties.get("version"), dict):
            raise PermanentError(f"The server at {self.target.url} is not Metabase. Correct the address.")
        self.fresh = not properties.get("has-user-setup")
        self._setup_token = properties.get("setup-token")
        version = str(properties["version"].get("tag"))
        release = re.match(r"v[01]\.(\d+)", version)
        if release and int(release.group(1)) < OLDEST:
            raise PermanentError(
                f"{self.name} is {version}; the dashboards need v0.{OLDEST} or later. "
                "Upgrade it (the image tag in docker-compose.override.yml is a version that works)."
            )

    def set_up(self) -> None:
        """Create the administrator of a fresh server, and log in.

        Raises:
            PermanentError: if it was set up meanwhile, or refuses the password.
        """
        target = self.target
        user = {
            "first_name": "Platform",
            "last_name": "Administrator",
            "email": target.user,
            "password": target.password,
        }
        prefs = {"site_name": NAME, "site_locale": "en"}
        self._enter(self.send("POST", "/api/setup", {"token": self._setup_token, "user": user, "prefs": prefs}))
        self.fresh = False

    def log_in(self) -> None:
        """Log in as the administrator.

        Raises:
            PermanentError: if the server has no such administrator: someone else has set it up.
        """
        target = self.target
        try:
            self._enter(self.send("POST", "/api/session", {"username": target.user, "password": target.password}))
        except PermanentError as error:
            raise PermanentError(
                f"{self.name} was set up by someone else: it does not accept the log-in of {target.user} ({error}). "
                "Give the e-mail address and password of one of its administrators. Nothing was changed."
            ) from error
        if not self.get("/api/user/current").get("is_superuser"):
            raise PermanentError(
                f"{target.user} is not an administrator of {self.name}, which the dashboards need. Nothing was changed."
            )

    def _enter(self, session: Any) -> None:
        self.headers["X-Metabase-Session"] = str(session["id"])
