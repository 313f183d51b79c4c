"""A session with a server that draws dashboards: what goes wrong becomes an error that says what to do."""

import re
import ssl
from types import TracebackType
from typing import Any, Self

import httpx

from bi.target import Target
from minidata.errors import PermanentError, PlatformError, TransientError

_AWAY = (502, 503, 504)
_SECONDS = httpx.Timeout(120, connect=5)


class Session:
    """Requests to one server; use it in a `with` block.

    Args:
        tool: name of the product, for messages.
        target: which server.
        log: where its log is found, for messages.
        transport: for tests.
    """

    def __init__(self, tool: str, target: Target, log: str, transport: httpx.BaseTransport | None = None) -> None:
        self.target = target
        self._tool, self._log = tool, log
        encrypted = target.url.lower().startswith("https:")
        # trust_env: a proxy or .netrc of the user must not see the password. Certificates are those that the system
        # trusts; without TLS, reading them would be the slowest part of a plan.
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
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def headers(self) -> httpx.Headers:
        """Headers of every request."""
        return self._http.headers

    @property
    def name(self) -> str:
        """The server in messages."""
        return f"{self._tool} at {self.target.url}"

    def get(self, path: str, **query: str | list[str]) -> Any:
        """Return the JSON of an answer.

        Raises:
            PlatformError: as `ask`; PermanentError also if the answer is not JSON.
        """
        return self.json(self.ask("GET", path, params=query or None), f"GET {path}")

    def json(self, answer: httpx.Response, request: str) -> Any:
        """Return the JSON of an answer, None if it is empty.

        Raises:
            PermanentError: if the answer is not JSON.
        """
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError as error:
            raise PermanentError(
                f"The server at {self.target.url} is not {self._tool}: {request} returned "
                f"{answer.headers.get('content-type', 'no content type')}, not JSON. Correct the address."
            ) from error

    def ask(self, method: str, path: str, fine: int | None = None, **arguments: Any) -> httpx.Response:
        """Send a request.

        Args:
            method: such as `PUT`.
            path: below the server's address.
            fine: a status that is accepted besides success.
            arguments: for httpx.

        Raises:
            TransientError: if the server is down, slow or busy, or someone else changed the same object.
            PermanentError: if it refuses the request.
        """
        try:
            answer = self._http.request(method, path, **arguments)
        except httpx.TimeoutException as error:
            raise TransientError(
                f"{self.name} did not answer {method} {path} within {_SECONDS.read:.0f} s. "
                f"It is overloaded or stuck; see {self._log}, then run the same command again."
            ) from error
        except httpx.HTTPError as error:
            raise TransientError(
                f"{self.name} cannot be reached ({error}). Check that it is running (`./mdp status`) and that the "
                "address is right."
            ) from error
        if answer.is_success or answer.status_code == fine:
            return answer
        raise self._refusal(answer, f"{method} {path.partition('?')[0]}")

    def _refusal(self, answer: httpx.Response, request: str) -> PlatformError:
        what = f"{self.name} answers {request} with {answer.status_code}: {_message(answer) or 'no text'}"
        if answer.status_code in _AWAY:
            return TransientError(f"{what}. It is starting or overloaded; try again in a minute.")
        if answer.status_code == httpx.codes.CONFLICT:
            return TransientError(f"{what}. Someone else changed the same object just now; run the command again.")
        if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
            return PermanentError(f"{what}. The cause is in {self._log}.")
        return PermanentError(what)


def _message(answer: httpx.Response) -> str:
    """Return the text of an answer; some errors are HTML pages."""
    text = answer.text.strip()
    if "json" not in answer.headers.get("content-type", ""):
        text = re.sub(r"\s+", " ", re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", text, flags=re.DOTALL)).strip()
    return text[:1000]
