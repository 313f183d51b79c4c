"""The event relay: reports new objects in SeaweedFS to the inbox, as MinIO does by itself.

It runs `weed filer.meta.tail`, which prints every change below a folder as JSON, and writes one inbox row for each
new version of an object, in the shape of an S3 notification. Events are hints: the full listing finds what is lost
while the relay or the store is down.
"""

import argparse
import base64
import binascii
import codecs
import ctypes
import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any
from urllib.parse import quote_plus

import psycopg

from minidata import ledger
from minidata.errors import PlatformError
from minidata.settings import load_settings
from minidata.warehouse.connection import Connection, conninfo

_log = logging.getLogger("mdp.relay")
_READ_BYTES = 2**20
_IDLE_SECONDS = 5  # without an event, after which it shows that it is alive
_OVERLAP_SECONDS = 10  # a new tail begins so much earlier than the last event seen
_REMEMBERED = 10_000  # events; more are not repeated in so short a time
_LONGEST_REPLAY_SECONDS = 3600
_VERSION = "Seaweed-X-Amz-Version-Id"
_MARKER = "Seaweed-X-Amz-Delete-Marker"
_PR_SET_PDEATHSIG = 1


class EventStream:
    """Turns the output of the tail into whole events."""

    def __init__(self) -> None:
        self._text = ""
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")
        self._json = json.JSONDecoder()

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Add bytes, cut anywhere, and yield the events that they complete."""
        self._text += self._bytes.decode(data)
        at = 0
        while True:
            at = self._text.find("{", at)  # between events: blanks, or a line that is no event
            if at < 0:
                self._text = ""
                return
            try:
                event, at = self._json.raw_decode(self._text, at)
            except json.JSONDecodeError:
                following = self._text.find("\n{", at)  # only whole events begin a line with a brace
                if following >= 0:
                    at = following + 1  # this one was broken; the listing finds its object
                    continue
                self._text = self._text[at:]
                return
            yield event


def notification(event: dict[str, Any], bucket: str) -> dict[str, Any] | None:
    """Turn a change of the filer into an S3 notification, if it makes a new version of an object.

    Its text is ASCII: PostgreSQL's JSON would refuse a key with U+0000.

    A versioned object is a folder `<key>.versions` with a file for each version; its first version, an overwrite
    and a completed multipart upload all look alike. Deletions, delete markers, parts of uploads, folders and
    changes of old versions are not new objects.

    Returns:
        The notification with bucket, key (URL-quoted), version and size, or None.
    """
    change = event.get("eventNotification") or {}
    entry = change.get("newEntry")
    root = f"/buckets/{bucket}"
    folder = str(event.get("directory", ""))
    if not entry or change.get("oldEntry") or entry.get("isDirectory"):
        return None
    extended = entry.get("extended") or {}
    if _MARKER in extended or f"{folder}/".startswith(f"{root}/.uploads/"):
        return None
    if _VERSION in extended and folder.startswith(f"{root}/") and folder.endswith(".versions"):
        key = folder.removeprefix(f"{root}/").removesuffix(".versions")
        version = _decoded(extended[_VERSION])
    elif f"{folder}/".startswith(f"{root}/"):
        key = f"{folder}/{entry.get('name', '')}".removeprefix(f"{root}/")
        version = "null"
    else:
        return None
    size = int((entry.get("attributes") or {}).get("fileSize") or 0)
    found = {"key": quote_plus(key, safe="/"), "size": size, "versionId": version}
    return {
        "EventName": "s3:ObjectCreated:Put",
        "Records": [{"eventName": "s3:ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": found}}],
    }


class Inbox:
    """The inbox table, through a connection that is opened again when it breaks."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Connection | None = None

    def write(self, notifications: Sequence[dict[str, Any]]) -> None:
        """Write notifications in one transaction; retry until PostgreSQL takes them."""
        delay = 0.1
        while True:
            try:
                if self._connection is None:
                    self._connection = psycopg.connect(self._conninfo, autocommit=True, application_name=ledger.RELAY)
                ledger.write_inbox(self._connection, notifications)
            except psycopg.Error as error:
                _log.warning("PostgreSQL does not take %d events yet: %s", len(notifications), str(error).strip())
                self.close()
                time.sleep(delay)
                delay = min(delay * 2, 5)
            else:
                return

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class Relay:
    """Runs the tail, restarts it when it ends, and writes its events to the inbox.

    Args:
        tail: the command line of `weed filer.meta.tail` for the bucket.
        bucket: its name.
        inbox: takes the notifications.
        replay_seconds: how far back the first tail begins.
    """

    def __init__(self, tail: Sequence[str], bucket: str, inbox: Inbox, replay_seconds: float) -> None:
        self._tail = tail
        self._bucket = bucket
        self._inbox = inbox
        self._last = time.time_ns() - int(replay_seconds * 1e9)
        self._recent: dict[str, None] = {}  # in order of arrival

    def run(self) -> None:
        """Relay until an exception, such as SystemExit on SIGTERM."""
        self._inbox.write([])  # connects now, so that the first event does not wait
        delay = 0.2
        while True:
            started = time.monotonic()
            self._follow()
            delay = 0.2 if time.monotonic() - started > 10 else min(delay * 2, 3)
            _log.warning("The tail of the store's changes ended; restarting it in %.1f s.", delay)
            time.sleep(delay)

    def _follow(self) -> None:
        behind = (time.time_ns() - self._last) / 1e9 + _OVERLAP_SECONDS
        ago = f"-timeAgo={min(max(behind, _OVERLAP_SECONDS), _LONGEST_REPLAY_SECONDS):.0f}s"
        stream = EventStream()
        process = subprocess.Popen(
            [*self._tail, ago],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={n: os.environ[n] for n in ("PATH", "HOME", "MDP_SERVICE") if n in os.environ},
            preexec_fn=_die_with_parent,  # noqa: PLW1509  this process has one thread
        )
        try:
            assert process.stdout is not None  # noqa: S101  it is a pipe
            output = process.stdout.fileno()
            while True:
                if not select.select([output], [], [], _IDLE_SECONDS)[0]:
                    self._inbox.write([])  # shows `./mdp status` that the relay is alive
                elif data := os.read(output, _READ_BYTES):
                    self._deliver(stream.feed(data))
                else:
                    return
        finally:
            process.kill()
            process.wait()

    def _deliver(self, events: Iterator[dict[str, Any]]) -> None:
        notifications = []
        for event in events:
            told = notification(event, self._bucket)
            self._last = max(self._last, int(event.get("tsNs") or 0))  # they come out of order by a little
            if told and not self._known(told):
                notifications.append(told)
        if notifications:
            self._inbox.write(notifications)
            last = notifications[-1]["Records"][0]["s3"]["object"]["key"]
            _log.info("%d new objects, the last of them %s", len(notifications), last)

    def _known(self, told: dict[str, Any]) -> bool:
        """Return whether a notification is a repetition: a new tail begins before the end of the old one."""
        name = json.dumps(told["Records"][0]["s3"]["object"])
        if name in self._recent:
            return True
        self._recent[name] = None
        if len(self._recent) > _REMEMBERED:
            del self._recent[next(iter(self._recent))]
        return False


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return "null"


def _die_with_parent() -> None:
    """Let Linux kill the tail when the relay dies; elsewhere its next write to the pipe ends it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _stop(number: int, _: FrameType | None) -> None:
    raise SystemExit(0 if number == signal.SIGTERM else 128 + number)


def main() -> None:
    """Run the relay until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m minidata.events.relay", description=__doc__)
    parser.add_argument("--bucket", required=True, help="the bucket to watch")
    parser.add_argument("--replay", type=float, default=60, help="seconds before now to begin at (default 60)")
    parser.add_argument("tail", nargs="+", help="the command line of weed filer.meta.tail, after --")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    signal.signal(signal.SIGTERM, _stop)
    try:
        inbox = Inbox(conninfo(load_settings(), "loader"))
    except PlatformError as error:
        sys.exit(str(error))
    try:
        Relay(arguments.tail, arguments.bucket, inbox, arguments.replay).run()
    finally:
        inbox.close()


if __name__ == "__main__":
    main()
