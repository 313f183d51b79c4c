"""A Spark cluster as the place where the work runs, reached over Spark Connect.

Nothing is translated into Spark's SQL: the executors run our own functions on bytes. Spark spreads the items, brings
groups together, and repeats the tasks of an executor that is lost.
"""

import importlib
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from minidata.errors import PermanentError, PlatformError, TransientError

T = TypeVar("T")
R = TypeVar("R")

_ROW = "key string, data binary"
_RECORDS = "32"  # that Spark hands to Python at once; one may have megabytes
_RETRIES = 5  # of a call that the server does not answer: 17 s together
_SHOWN = 500  # characters of Spark's errors
_MISSING = "?"  # key of a row that says that our packages are missing
_DIED = ("Python worker exited unexpectedly", "Python worker crashed", "ExecutorLostFailure")


class WorkerDiedError(Exception):
    """Workers died over and over: one of the files may be what kills them, so this counts as an attempt."""


class Spark:
    """A cluster. It pickles functions, items and results; what a function raises there is raised here.

    A function may run twice for the same item, even at the same time: what it writes must be the same each time, under
    the same names.

    Args:
        remote: address of its Connect server, `sc://HOST:PORT`.

    Raises:
        PermanentError: if the client is not installed.
    """

    def __init__(self, remote: str) -> None:
        self._remote = remote
        try:
            importlib.import_module("pyspark.sql.connect.session")
            self._executor = importlib.import_module("minidata.engine.executor")  # needs pyarrow, which comes with it
        except ImportError as error:
            raise PermanentError(
                f"MDP_ENGINE is spark, and Spark's client is not installed ({error}). `./mdp up` with this setting "
                "installs it; an image needs the packages of locks/spark.txt."
            ) from error

    def each(self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Yield what the work returns for each item, in their order, once all are done; one task per item."""
        found = self._run(items, [("each", work, len(items))])
        return (found[str(number)] for number in range(len(items)))

    def grouped(
        self,
        spread: Callable[[Iterable[T]], Iterable[tuple[str, bytes]]],
        gather: Callable[[str, Sequence[bytes]], R],
        items: Sequence[T],
        groups: int,
    ) -> Iterable[R]:
        """Spread items into pieces, bring each group of pieces together, and return what gathering returns.

        Args:
            spread: turns some items into pieces, each with the name of its group.
            gather: turns all pieces of a group, in any order, into a result.
            items: one task per item.
            groups: about how many there will be; one task per group.
        """
        return self._run(items, [("spread", spread, len(items)), ("gather", gather, groups)]).values()

    def _run(self, items: Sequence[Any], steps: Sequence[tuple[str, Any, int]]) -> dict[str, Any]:
        """Run steps one after the other, each in so many tasks, and return the results by key."""
        import pyarrow as pa  # noqa: PLC0415

        if not items:
            return {}
        rows = pa.table(
            [[str(number) for number in range(len(items))], [pickle.dumps(item) for item in items]], ["key", "data"]
        )
        found: dict[str, Any] = {}
        with self._session() as session:
            frame = session.createDataFrame(rows, _ROW)
            for name, work, tasks in steps:
                function = _portable(name, pickle.dumps(work), self._executor.version())
                together = ["key"] if name == "gather" else []
                frame = frame.repartition(tasks, *together).mapInArrow(function, _ROW)
            for key, data in zip(*frame.toArrow().to_pydict().values(), strict=True):
                if key == _MISSING:
                    raise TransientError(
                        f"The executors of {self._remote} lack the platform's packages, or have another version "
                        f"({data.decode()}). Start them from the image of the same release (docs/grow.md)."
                    )
                found[key] = pickle.loads(data)  # noqa: S301  our executors'
                if key == self._executor.FAILED:
                    raise found[key]
        return found

    @contextmanager
    def _session(self) -> Iterator[Any]:
        """Open a session of its own.

        Raises:
            TransientError: if the server is away, or the cluster fails.
            WorkerDiedError: if workers died over and over.
        """
        import grpc  # noqa: PLC0415
        from pyspark.errors import PySparkException  # noqa: PLC0415
        from pyspark.sql.connect.client.retries import DefaultPolicy  # noqa: PLC0415
        from pyspark.sql.connect.session import SparkSession  # noqa: PLC0415

        try:
            session = SparkSession.builder.remote(self._remote).create()
            session.client.set_retry_policies([DefaultPolicy(max_retries=_RETRIES)])
            session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", _RECORDS)
            yield session
        except PlatformError:
            raise
        except (PySparkException, grpc.RpcError) as error:
            text = str(error).strip()
            if any(words in text for words in _DIED):
                raise WorkerDiedError(f"Workers of {self._remote} died: {text[:_SHOWN]}") from error
            raise TransientError(
                f"Spark at {self._remote} cannot be reached or has failed: {text[:_SHOWN]} Does it run? "
                "The files wait and are tried again."
            ) from error
        else:
            session.stop()


def _portable(name: str, work: bytes, version: str) -> Callable[[Any], Iterator[Any]]:
    """Return a function that is sent by value, since the executors may lack our packages."""

    def run(batches: Any, missing: str = _MISSING) -> Iterator[Any]:
        import pyarrow as pa  # noqa: PLC0415

        try:
            executor = importlib.import_module("minidata.engine.executor")
        except ImportError as error:
            yield pa.record_batch([[missing], [str(error).encode()]], names=["key", "data"])
            return
        yield from executor.run(name, version, work, batches)

    return run
