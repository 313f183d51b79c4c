"""One session with a Metabase server: requests that are checked before they are sent, and errors in words."""

import re
import ssl
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from bi.metabase.contract import Contract
from bi.metabase.target import Target, login, setup
from minidata.errors import PermanentError, PlatformError, TransientError

OLDEST, NEWEST = 57, 65  # releases v0.x whose requests we know
_AWAY = (502, 503, 504)
_SECONDS = httpx.Timeout(60, connect=5)


class Metabase:
    """A session; use it in a `with` block.

    Args:
        target: which server.
        transport: for tests.
    """

    def __init__(self, target: Target, transport: httpx.BaseTransport | None = None) -> None:
        self.target = target
        self.contract: Contract | None = None
        self.version = "unknown"
        self.fresh = False
        self._setup_token: str | None = None
        encrypted = target.url.lower().startswith("https:")
        # trust_env: a proxy or .netrc of the user's has no say in where a password goes. Certificates are those
        # that the system trusts; without TLS, reading them all would be the slowest part of a plan.
        self._http = httpx.Client(
            base_url=target.url.rstrip("/"),
            timeout=_SECONDS,
            trust_env=False,
            transport=transport,
            verify=ssl.create_default_context() if encrypted else False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def wait_until_ready(self, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        """Wait for a server that starts, and learn its version and whether it was set up.

        Raises:
            TransientError: if it is away, or not ready in time.
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
            raise PermanentError(f"What answers at {self.target.url} is no Metabase. Correct the address.")
        self.version = str(properties["version"].get("tag"))
        self.fresh = not properties.get("has-user-setup", properties.get("setup-token") is None)
        self._setup_token = properties.get("setup-token")
        release = self.release
        if release is not None and release < OLDEST:
            raise PermanentError(
                f"Metabase at {self.target.url} is {self.version}; the dashboards need v0.{OLDEST} or later. "
                "Upgrade it (the image tag in docker-compose.override.yml is a version that works)."
            )

    @property
    def release(self) -> int | None:
        """The number after `v0.` or `v1.`, None for a build without one."""
        found = re.match(r"v[01]\.(\d+)", self.version)
        return int(found.group(1)) if found else None

    def learn_contract(self) -> None:
        """Read the server's description of its interface.

        Raises:
            PermanentError: if it serves none and is not of a version that we know.
        """
        try:
            self.contract = Contract(self.get("/api/docs/openapi.json"))
        except PermanentError as error:
            if self.release is None or self.release > NEWEST:
                raise PermanentError(
                    f"Metabase {self.version} is newer than v0.{NEWEST}, and serves no description of its "
                    f"interface to check against ({error}). Use v0.{OLDEST} to v0.{NEWEST}."
                ) from error

    def set_up(self) -> None:
        """Create the administrator of a fresh server, and be logged in.

        Raises:
            PermanentError: if it was set up meanwhile, or does not like the password.
        """
        self._enter(self.send("POST", "/api/setup", setup(self.target, self._setup_token or "")))
        self.fresh = False

    def log_in(self) -> None:
        """Log in as the administrator.

        Raises:
            PermanentError: if the server has no such administrator: somebody else has set it up.
        """
        try:
            self._enter(self.send("POST", "/api/session", login(self.target)))
        except PermanentError as error:
            raise PermanentError(
                f"Metabase at {self.target.url} was set up by somebody else: it does not let {self.target.email} "
                f"in ({error}). Give the e-mail address and password of one of its administrators. "
                "Nothing was changed."
            ) from error
        if not self.get("/api/user/current").get("is_superuser"):
            raise PermanentError(
                f"{self.target.email} is no administrator of Metabase at {self.target.url}, which the dashboards "
                "need. Nothing was changed."
            )

    def get(self, path: str, **query: str | list[str]) -> Any:
        """Return an answer's JSON.

        Raises:
            PlatformError: as `send`.
        """
        return self._answer("GET", path, lambda: self._http.get(path, params=query))

    def send(self, method: str, path: str, body: Mapping[str, Any], **ids: int) -> Any:
        """Send a request that changes something, if the server's own description takes it.

        Args:
            method: such as `PUT`.
            path: with `{name}` where ids stand.
            body: sent as JSON.
            ids: by name in the path.

        Returns:
            The answer's JSON, None if it is empty.

        Raises:
            PermanentError: if the server refuses it, or would.
            TransientError: if the server is away, or somebody else changed the same thing just now.
        """
        if self.contract is not None:
            problems = self.contract.problems(method, path, body)
            if problems:
                raise PermanentError(
                    f"Metabase {self.version} does not take what would be sent; nothing was sent:\n  "
                    + "\n  ".join(problems)
                )
        return self._answer(method, path, lambda: self._http.request(method, path.format(**ids), json=dict(body)))

    def _enter(self, session: Any) -> None:
        self._http.headers["X-Metabase-Session"] = str(session["id"])

    def _answer(self, method: str, path: str, ask: Callable[[], httpx.Response]) -> Any:
        try:
            answer = ask()
        except httpx.TimeoutException as error:
            raise TransientError(
                f"Metabase at {self.target.url} did not answer {method} {path} within {_SECONDS.read:.0f} s. "
                "It is overloaded or stuck; see its log, then run the same command again."
            ) from error
        except httpx.HTTPError as error:
            raise TransientError(
                f"Metabase at {self.target.url} cannot be reached ({error}). Is it running, and is the address right?"
            ) from error
        if answer.is_success:
            return self._json(answer, method, path)
        raise self._refusal(answer, method, path)

    def _json(self, answer: httpx.Response, method: str, path: str) -> Any:
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError as error:
            raise PermanentError(
                f"What answers {method} {path} at {self.target.url} is no Metabase: it sent "
                f"{answer.headers.get('content-type', 'no content type')} instead of JSON. Correct the address."
            ) from error

    def _refusal(self, answer: httpx.Response, method: str, path: str) -> PlatformError:
        said = answer.text.strip()[:500] or "without a word"
        what = f"Metabase at {self.target.url} answers {method} {path} with {answer.status_code}: {said}"
        if answer.status_code in _AWAY:
            return TransientError(f"{what}. It is starting or overloaded; try again in a minute.")
        if answer.status_code == httpx.codes.CONFLICT:
            return TransientError(f"{what}. Somebody changed the same thing just now; run the command again.")
        if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
            return PermanentError(f"{what}. The cause is in its log.")
        return PermanentError(what)
