"""Fault points: before and after every side effect of a worker, put there from outside.

Inside a worker's process, the store and the connections are replaced by subclasses that pass a named point around each
effect on a bucket or on the database. The code under test has no line for it. A name tells who does what:
`record_verdicts: commit, after`.
"""

import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from types import FrameType
from typing import Any, Literal

import psycopg

from minidata.settings import PROJECT
from minidata.store import ObjectStore

Action = Literal["kill", "stop", "wait", "lose"]
_EFFECTS = ("write", "put_checked", "copy", "delete_version", "delete_versions", "delete_prefix")
_WRITES = re.compile(r"\b(insert|update|delete|truncate|copy|create|pg_notify)\b", re.IGNORECASE)
_CODE = tuple(str(PROJECT / folder) for folder in ("etl", "minidata"))
_NOT_NAMED = {"transaction", "locked_batch", "write", "append"}


@dataclass(frozen=True)
class Fault:
    """What a worker does to itself, and where.

    Attributes:
        action: `kill`: SIGKILL; `stop`: SIGSTOP, heartbeat included; `wait`: its thread waits, the heartbeat goes on;
            `lose`: the answer of the database to the effect is lost with the connection.
        place: the number of the point from 0 on, or the name of one.
    """

    action: Action
    place: int | str


class Points:
    """The points that a worker passes; the chosen one tells the other end of the pipe, then acts.

    Args:
        fault: what happens, if anything.
        pipe: to the driver of the round.
    """

    def __init__(self, fault: Fault | None, pipe: Pipe) -> None:
        self._fault, self._pipe = fault, pipe
        self._lock = threading.Lock()
        self.passed: list[str] = []

    def __call__(self, what: str) -> bool:
        """Pass a point; returns whether the answer of the effect is to be lost."""
        name = f"{_caller(sys._getframe(1))}: {what}"
        with self._lock:
            here = self._fault is not None and self._fault.place in {len(self.passed), name}
            self.passed.append(name)
            fault, self._fault = self._fault, None if here else self._fault
        if not here or fault is None:
            return False
        if fault.action == "lose":
            return "after" in what
        self._pipe.send(name)
        if fault.action == "wait":
            self._pipe.recv()
        else:
            os.kill(os.getpid(), signal.SIGKILL if fault.action == "kill" else signal.SIGSTOP)
        return False


def install(points: Points) -> None:
    """Put points around every effect of this process, on the buckets and on the database."""
    for name in _EFFECTS:
        setattr(ObjectStore, name, _around(getattr(ObjectStore, name), name, points))

    class Cursor(psycopg.Cursor[Any]):
        """A cursor with points around each statement that writes."""

        def execute(self, query: Any, *values: Any, **options: Any) -> Any:
            text = query if isinstance(query, str) else query.as_string(self)
            if not (written := _WRITES.search(text)):
                return super().execute(query, *values, **options)
            points(f"{written[0].lower()}, before")
            done = super().execute(query, *values, **options)
            if points(f"{written[0].lower()}, after"):
                _lose(self.connection)
            return done

    class Connection(psycopg.Connection[Any]):
        """A connection with points around each commit."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.cursor_factory = Cursor

        @contextmanager
        def transaction(self, *arguments: Any, **options: Any) -> Iterator[psycopg.Transaction]:
            with super().transaction(*arguments, **options) as transaction:
                yield transaction
                points("commit, before")
            if points("commit, after"):
                _lose(self)

    psycopg.connect = Connection.connect  # type: ignore[assignment]


def _lose(connection: psycopg.Connection[Any]) -> None:
    connection.close()
    raise psycopg.OperationalError("server closed the connection unexpectedly (a planted fault)")


def _around(effect: Callable[..., Any], name: str, points: Points) -> Callable[..., Any]:
    def with_points(*arguments: Any, **options: Any) -> Any:
        points(f"{name}, before")
        done = effect(*arguments, **options)
        points(f"{name}, after")
        return done

    return with_points


def _caller(frame: FrameType | None) -> str:
    """Name the innermost function of the code under test that asks for the effect."""
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(_CODE) and code.co_name not in _NOT_NAMED and not code.co_name.startswith("<"):
            return code.co_name
        frame = frame.f_back
    return "worker"
