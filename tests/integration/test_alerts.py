"""Alerts as they arrive: in a real mail server's mailbox and at a real webhook, once for each event."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer

import pytest

from minidata.alerts import deliver, due
from minidata.settings import PROJECT
from operate.embedded.settings import as_environment
from tests.corpus.case import HEADER, good_lines
from tests.integration.conftest import Pipeline

GOOD = f"{HEADER}\n{good_lines('one', 5)}".encode()


class Mailbox(TCPServer):
    """A mail server that keeps what it gets."""

    allow_reuse_address = True

    def __init__(self) -> None:
        self.mails: list[Message] = []
        super().__init__(("127.0.0.1", 0), MailSession)


class MailSession(StreamRequestHandler):
    def handle(self) -> None:
        self.say("220 sink")
        while line := self.rfile.readline().strip().upper():
            if line == b"DATA":
                self.say("354 go on")
                data = b""
                while not data.endswith(b"\r\n.\r\n"):
                    data += self.rfile.readline()
                self.server.mails.append(message_from_bytes(data))
                self.say("250 kept")
            elif line == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 fine")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class Webhook(HTTPServer):
    """A web server that keeps what is posted."""

    def __init__(self) -> None:
        self.posts: list[dict[str, str]] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), Post)


class Post(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()


@pytest.fixture(params=[Mailbox, Webhook])
def sink(request: pytest.FixtureRequest) -> Iterator[TCPServer]:
    with request.param() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def _nothing_told(pipeline: Pipeline) -> None:
    pipeline.execute("delete from mdp.alerts")


def address(server: TCPServer) -> str:
    port = server.server_address[1]
    if isinstance(server, Mailbox):
        return f"mailto:ops@example.org?server=smtp://127.0.0.1:{port}&from=mdp@example.org"
    return f"json://127.0.0.1:{port}/alerts"


def airflow_python(pipeline: Pipeline, alerts: str, home: Path, *program: str) -> subprocess.CompletedProcess[str]:
    environment = as_environment(pipeline.settings) | {
        "PYTHONPATH": str(PROJECT),
        "PATH": os.environ["PATH"],
        "AIRFLOW_HOME": str(home),
        "MDP_ALERTS": alerts,
    }
    command = [sys.executable, *program]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=200)


def received(server: TCPServer) -> list[tuple[str, str]]:
    if isinstance(server, Webhook):
        return [(post["title"], post["message"]) for post in server.posts]
    bodies = [next(p for p in mail.walk() if p.get_content_type() == "text/html") for mail in server.mails]
    return [
        (str(mail["Subject"]), body.get_payload(decode=True).decode())
        for mail, body in zip(server.mails, bodies, strict=True)
    ]


def test_a_refused_file_is_told_once_with_the_command_that_helps(
    pipeline: Pipeline, sink: TCPServer, tmp_path: Path
) -> None:
    pipeline.put("bad.csv", b"a,b\n1,2\n")
    pipeline.drain()
    tell = ("-c", "from minidata.notifier import tell; from minidata.settings import load_settings as s; tell(s())")
    for _ in range(2):
        told = airflow_python(pipeline, address(sink), tmp_path, *tell)
        assert told.returncode == 0, told.stderr
    [(title, body)] = received(sink)
    assert title == "[Mini Data Platform] 1 file in quarantine"
    assert "bad.csv: missing_column" in body
    assert "./mdp quarantine ls" in body


def test_a_test_alert_arrives(pipeline: Pipeline, sink: TCPServer, tmp_path: Path) -> None:
    sent = airflow_python(pipeline, address(sink), tmp_path, "-m", "minidata.notifier")
    assert sent.returncode == 0, sent.stderr
    assert received(sink)[0][0] == "[Mini Data Platform] Test of the alerts"


def test_an_alert_that_was_not_delivered_is_not_taken_for_sent(pipeline: Pipeline, tmp_path: Path) -> None:
    with Webhook() as refusing:
        refusing.status = 500
        threading.Thread(target=refusing.serve_forever, daemon=True).start()
        sent = airflow_python(pipeline, address(refusing), tmp_path, "-m", "minidata.notifier")
        refusing.shutdown()
    assert sent.returncode == 1
    assert "could not be sent" in sent.stderr
    sent = airflow_python(pipeline, "no address", tmp_path, "-m", "minidata.notifier")
    assert sent.returncode == 1
    assert "MDP_ALERTS" in sent.stderr


def test_conditions_are_told_once_and_again_after_they_were_over(pipeline: Pipeline) -> None:
    soon = pipeline.settings.model_copy(update={"wait_seconds": 0.001})
    told: list[str] = []

    def kinds() -> list[str]:
        pipeline.execute("update mdp.files set arrived_at = arrived_at - interval '1 minute' where state = 'pending'")
        told.clear()
        deliver(pipeline.connection, soon, lambda alert: told.append(alert.kind))
        return list(told)

    pipeline.put("waits.csv", GOOD)
    pipeline.look()
    assert kinds() == ["not_loading"]
    assert kinds() == []
    pipeline.drain()
    assert kinds() == []
    pipeline.put("again.csv", GOOD.replace(b"one", b"two"))
    pipeline.look()
    assert kinds() == ["not_loading"]
    pipeline.execute("update mdp.files set state = 'failed' where key = 'again.csv'")
    assert kinds() == ["failed"]
    stale = pipeline.settings.model_copy(update={"stale_seconds": 0.001})
    assert [alert.kind for alert in due(pipeline.connection, stale)] == ["stale"]


def test_an_alert_is_tried_again_if_it_could_not_be_sent(pipeline: Pipeline) -> None:
    pipeline.put("bad.csv", b"a,b\n1,2\n")
    pipeline.drain()

    def refuse(alert: object) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        deliver(pipeline.connection, pipeline.settings, refuse)
    assert [alert.kind for alert in due(pipeline.connection, pipeline.settings)] == ["quarantined"]
