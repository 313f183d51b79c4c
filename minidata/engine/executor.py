"""What runs on an executor. The driver sends a function and its version; rows of a key and bytes go in and out.

A failure is a row as well, so that the driver can raise what was raised here.
"""

import hashlib
import pickle
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from minidata.errors import PermanentError, PlatformError, TransientError

Batches = Iterable[pa.RecordBatch]
Row = tuple[str, bytes]
FAILED = "!"
"""Key of a failure; its bytes are the exception, pickled."""
_HANDED_ON = 16 * 2**20  # bytes of rows that are handed on together


@cache
def version() -> str:
    """Return what must be the same here and on the driver: our own source, and the version of Polars."""
    digest = hashlib.sha256(pl.__version__.encode())
    root = Path(__file__).resolve().parents[2]
    for file in sorted((*root.glob("minidata/**/*.py"), *root.glob("etl/**/*.py"))):
        digest.update(f"{file.relative_to(root)}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def run(step: str, wanted: str, work: bytes, batches: Batches) -> Iterator[pa.RecordBatch]:
    """Run a step over rows, and hand on its rows, then the failure that ended them, if one did.

    Args:
        step: of `_STEPS`.
        wanted: the version of the driver.
        work: its function, pickled.
        batches: rows of a key and bytes.
    """
    held: list[Row] = []
    size = 0
    try:
        _require_version(wanted)
        for row in _STEPS[step](pickle.loads(work), _cells(batches)):  # noqa: S301  the driver's
            held.append(row)
            size += len(row[1])
            if size > _HANDED_ON:
                yield _batch(held)
                held, size = [], 0
    except Exception as error:  # noqa: BLE001  raised again on the driver
        held.append((FAILED, pickled(error)))
    if held:
        yield _batch(held)


def _require_version(wanted: str) -> None:
    if version() != wanted:
        raise TransientError(
            "The executors of the Spark cluster run another version of the platform than Airflow. Start them from "
            "the image of the same release (docs/grow.md). The files wait and are tried again."
        )


def _each(work: Any, rows: Iterator[Row]) -> Iterator[Row]:
    for key, item in rows:
        yield key, pickle.dumps(work(pickle.loads(item)))  # noqa: S301  the driver's


def _spread(work: Any, rows: Iterator[Row]) -> Iterable[Row]:
    return work(pickle.loads(item) for _, item in rows)  # type: ignore[no-any-return]  # noqa: S301  the driver's


def _gather(work: Any, rows: Iterator[Row]) -> Iterator[Row]:
    groups: dict[str, list[bytes]] = {}
    for key, piece in rows:
        if key == FAILED:
            raise pickle.loads(piece)  # noqa: S301  another executor's
        groups.setdefault(key, []).append(piece)
    for key, pieces in groups.items():
        yield key, pickle.dumps(work(key, pieces))


_STEPS: dict[str, Callable[[Any, Iterator[Row]], Iterable[Row]]] = {"each": _each, "spread": _spread, "gather": _gather}


def _cells(batches: Batches) -> Iterator[Row]:
    for batch in batches:
        yield from zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True)


def pickled(error: Exception) -> bytes:
    """Pickle an exception; one that cannot be pickled becomes one of its kind of blame with the same words."""
    try:
        pickle.loads(data := pickle.dumps(error))  # noqa: S301  our own
    except Exception:  # noqa: BLE001  an exception's own __reduce__ may raise anything
        kind: Callable[..., Any] = PermanentError if isinstance(error, PlatformError) else RuntimeError
        return pickle.dumps(kind(f"{type(error).__name__}: {error}"))
    return data


def _batch(rows: list[Row]) -> pa.RecordBatch:
    keys, data = zip(*rows, strict=True)
    return pa.record_batch([pa.array(keys, pa.string()), pa.array(data, pa.binary())], names=["key", "data"])
