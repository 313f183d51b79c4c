"""The fake Metabase on a port: which request does what, and that each fits its closed schema first."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from jsonschema import Draft202012Validator

from tests.fakes.metabase import FakeMetabase, Json, RefusedError
from tests.fakes.metabase_schemas import BODIES

_OPEN = ("/api/health", "/api/session/properties", "/api/setup", "/api/session")
_ROUTES: list[tuple[str, str, Callable[..., Json]]] = [
    ("GET", "/api/health", FakeMetabase.health),
    ("GET", "/api/session/properties", FakeMetabase.properties),
    ("POST", "/api/setup", FakeMetabase.setup),
    ("POST", "/api/session", FakeMetabase.session),
    ("GET", "/api/user/current", FakeMetabase.user),
    ("GET", "/api/database", FakeMetabase.list_databases),
    ("POST", "/api/database", FakeMetabase.make_database),
    ("GET", "/api/database/{id}", FakeMetabase.database),
    ("PUT", "/api/database/{id}", FakeMetabase.change_database),
    ("POST", "/api/database/{id}/sync_schema", FakeMetabase.sync),
    ("GET", "/api/database/{id}/metadata", FakeMetabase.metadata),
    ("GET", "/api/collection", FakeMetabase.list_collections),
    ("POST", "/api/collection", FakeMetabase.make_collection),
    ("GET", "/api/collection/graph", FakeMetabase.show_collection_graph),
    ("PUT", "/api/collection/graph", FakeMetabase.change_collection_graph),
    ("GET", "/api/collection/{id}", FakeMetabase.collection),
    ("PUT", "/api/collection/{id}", FakeMetabase.change_collection),
    ("GET", "/api/collection/{id}/items", FakeMetabase.items),
    ("POST", "/api/card", FakeMetabase.make_card),
    ("PUT", "/api/card/{id}", FakeMetabase.change_card),
    ("GET", "/api/card/{id}", FakeMetabase.card),
    ("POST", "/api/dashboard", FakeMetabase.make_dashboard),
    ("PUT", "/api/dashboard/{id}", FakeMetabase.change_dashboard),
    ("GET", "/api/dashboard/{id}", FakeMetabase.dashboard),
    ("GET", "/api/permissions/group", FakeMetabase.list_groups),
    ("POST", "/api/permissions/group", FakeMetabase.make_group),
    ("GET", "/api/permissions/graph", FakeMetabase.show_data_graph),
    ("PUT", "/api/permissions/graph", FakeMetabase.change_data_graph),
]
_SCHEMAS = {(method, path.rstrip("/")): Draft202012Validator(schema) for (method, path), schema in BODIES.items()}


def answer(fake: FakeMetabase, method: str, path: str, body: Json, session: str | None) -> tuple[int, Json]:
    """Answer one request as the server would."""
    fake.requests.append((method, path))
    fake.bodies.append(body)
    try:
        if path not in _OPEN and session not in fake.sessions:
            raise RefusedError(401, "Unauthenticated")
        for wanted, template, act in _ROUTES:
            found = re.fullmatch(template.replace("{id}", r"(\d+)"), path)
            if wanted == method and found:
                if method != "GET":
                    faults = [f"{e.json_path}: {e.message[:200]}" for e in _SCHEMAS[method, template].iter_errors(body)]
                    if faults:
                        raise RefusedError(400, {"errors": faults})
                ids = [int(id_) for id_ in found.groups()]
                _raise(fake.fail(method, path))
                said = act(fake, *([] if method == "GET" else [body]), *ids)
                _raise(fake.lose(method, path))
                return 200, said
        raise RefusedError(404, "API endpoint does not exist.")
    except RefusedError as refused:
        return refused.status, refused.body


def _raise(planned: Json) -> None:
    if planned is not None:
        raise RefusedError(*planned)


@contextmanager
def serve(fake: FakeMetabase) -> Iterator[FakeMetabase]:
    """Serve a fake on a free port of loopback; `fake.url` is its address."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece: in two, each request waits 40 ms for an acknowledgement

        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            with lock:
                credential = self.headers.get("X-Metabase-Session") or self.headers.get("X-Api-Key")
                status, said = answer(fake, self.command, self.path.split("?")[0], body, credential)
                content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815  the library's names

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
