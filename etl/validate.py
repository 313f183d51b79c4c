"""Validate: read each file once, keep its good rows in staging, and record what is wrong with the others."""

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import TypeVar

import polars as pl

from etl import BatchContext, Counts, Workplace
from etl.move_files import reasons_key, rejects_key
from minidata import ledger
from minidata.contract import Limits, Verdict
from minidata.contract.together import SmallFile, certainly_good, grouped
from minidata.contract.validate import validate as check
from minidata.dataset import FILE
from minidata.engine import choose_engine
from minidata.errors import ObjectGoneError, PlatformError
from minidata.ledger import BatchFile, Validated
from minidata.rollup import RangeBuilder
from minidata.spool import Spool

T = TypeVar("T")
log = logging.getLogger(__name__)
_LISTED = (
    "The store lists this object but does not return it: its name may hold characters that a listing cannot carry. "
    "Upload it again under another name and delete this one."
)
_READS_AT_ONCE = 8
_REJECTS_IN_MEMORY = 8 * 2**20  # bytes; more of them are kept on disk until the verdict


@dataclass(frozen=True)
class _NotRead:
    """A file that was not read, and why; a superseded one is not to be loaded."""

    why: str
    superseded: bool


def validate(batch: BatchContext) -> Counts:
    """Give every claimed file of the batch its verdict; one that cannot be read is given back, alone."""
    from opentelemetry import trace  # noqa: PLC0415  an executor of Spark reads this module, and has no OpenTelemetry

    counts = dict.fromkeys(("valid", "invalid", "superseded", "unreadable", "rows", "rejected"), 0)
    claimed = [file for file in ledger.batch_files(batch.connection, batch.batch_id) if file.state == "claimed"]
    counts["valid"] = sum(file.validated for file in claimed)  # by an earlier run of this step
    groups = list(grouped([file for file in claimed if not file.validated], batch.settings.slice_bytes))
    engine = choose_engine(batch.settings, (file.size for file in claimed))
    outcomes_of = iter(engine.each(partial(_read_files, batch), groups))
    end = time.monotonic() + batch.settings.batch_seconds
    for files in takewhile(lambda _: time.monotonic() < end, groups):
        read = {}
        for file, outcome in zip(files, next(outcomes_of), strict=True):
            if isinstance(outcome, _NotRead):
                counts["superseded" if outcome.superseded else "unreadable"] += 1
                _record_not_read(batch, file, outcome)
            else:
                read[file.key, file.version] = outcome
        ledger.record_verdicts(batch.connection, batch.batch_id, read.values())
        for (key, _), (_, verdict, _, _) in read.items():
            counts["invalid" if verdict.reason else "valid"] += 1
            counts["rows"] += verdict.rows_good
            counts["rejected"] += verdict.rows_rejected
            said = verdict.reason.code if verdict.reason else "valid"
            rows = {"mdp.rows_good": verdict.rows_good, "mdp.rows_rejected": verdict.rows_rejected}
            trace.get_current_span().add_event("file", {"mdp.key": key, "mdp.verdict": said, **rows})
            log.info(
                "%s: %s, %d good rows, %d rejected %s",
                key,
                said,
                verdict.rows_good,
                verdict.rows_rejected,
                verdict.counts or "",
            )
    if time.monotonic() >= end and (left := ledger.give_back_unread(batch.connection, batch.batch_id)):
        log.info("The batch has had its %g seconds: %d files wait for the next.", batch.settings.batch_seconds, left)
    return counts


def _record_not_read(batch: BatchContext, file: BatchFile, outcome: _NotRead) -> None:
    log.warning("%s (%s): %s", file.key, file.version, outcome.why)
    if outcome.superseded:
        ledger.mark_superseded(batch.connection, batch.batch_id, file.file_id, outcome.why)
    else:
        ledger.give_back_file(batch.connection, batch.batch_id, file.file_id, outcome.why, batch.settings)


def _read_files(place: Workplace, files: list[BatchFile]) -> list[Validated | _NotRead]:
    """Validate a group in whatever process the engine chose; its good rows are in staging then."""
    if len(files) == 1:
        return [_or_not_read(lambda: _validate_file(place, files[0], _stored(place, files[0])))]
    with ThreadPoolExecutor(_READS_AT_ONCE) as pool:
        contents = list(pool.map(lambda file: _or_not_read(lambda: b"".join(_stored(place, file))), files))
    read = {f.file_id: (f, data) for f, data in zip(files, contents, strict=True) if isinstance(data, bytes)}
    found: dict[int, Validated | _NotRead] = _validate_together(place, read.values())
    for file_id, (file, data) in read.items():
        if file_id not in found:
            found[file_id] = _validate_file(place, file, [data])
    return [data if isinstance(data, _NotRead) else found[f.file_id] for f, data in zip(files, contents, strict=True)]


def _or_not_read(read: Callable[[], T]) -> T | _NotRead:
    try:
        return read()
    except _UnreadableError as error:
        return _NotRead(str(error), superseded=False)
    except _SupersededError as error:
        return _NotRead(str(error), superseded=True)


def _validate_together(place: Workplace, files: Iterable[tuple[BatchFile, bytes]]) -> dict[int, Validated | _NotRead]:
    """Validate the files that are certainly good; their rows are one object in staging."""
    small = [SmallFile(file.file_id, file.key, data, file.arrived_at) for file, data in files]
    verdicts, rows = certainly_good(small, place.dataset, Limits.of(place.settings))
    if rows is None:
        return {}
    ranges = RangeBuilder(place.dataset.columns).by_file(rows)
    place.staging.good_rows(min(verdicts)).append(rows)
    return {file_id: Validated(file_id, verdict, None, ranges[file_id]) for file_id, verdict in verdicts.items()}


def _validate_file(place: Workplace, file: BatchFile, content: Iterable[bytes]) -> Validated:
    settings = place.settings
    ranges = RangeBuilder(place.dataset.columns)
    parts = place.staging.good_rows(file.file_id)

    def good(rows: pl.DataFrame) -> None:
        ranges.add(rows)
        parts.append(rows.with_columns(pl.lit(file.file_id, pl.Int64()).alias(FILE)))

    with Spool(_REJECTS_IN_MEMORY) as rejects:
        verdict = check(
            content,
            key=file.key,
            stored_size=file.size,
            arrived_at=file.arrived_at,
            dataset=place.dataset,
            limits=Limits.of(settings),
            good=good,
            rejects=rejects.write,
            datasets=place.datasets.values(),
        )
        kept = None
        if verdict.rows_rejected and verdict.reason is None:
            kept = rejects_key(file.key, verdict.sha256, file.dataset, file.arrived_at)
            rejects.seek(0)
            page = json.dumps(_rejects_page(file, verdict), indent=2, ensure_ascii=False).encode(errors="replace")
            place.store.write(settings.quarantine_bucket, reasons_key(kept), page)
            place.store.write(settings.quarantine_bucket, kept, rejects)
    return Validated(file.file_id, verdict, kept, ranges.finish())


def _rejects_page(file: BatchFile, verdict: Verdict) -> dict[str, object]:
    """Return what is wrong with the rejected rows of a good file: counts by code, and the entries that are kept."""
    return {
        "key": file.key,
        "version": file.version,
        "arrived_at": file.arrived_at.isoformat(),
        "sha256": verdict.sha256,
        "rows_good": verdict.rows_good,
        "rows_rejected": verdict.rows_rejected,
        "counts": verdict.counts,
        "entries": [entry._asdict() for entry in verdict.entries],
    }


class _SupersededError(Exception):
    """The version is not to be loaded: its uploader has deleted the key, or the version itself is gone."""


class _UnreadableError(PlatformError):
    """The store does not return one object, although it answers."""


def _stored(place: Workplace, file: BatchFile) -> Iterator[bytes]:
    """Stream a file from `raw`; a failure to read it differs from a failure to write what becomes of it."""
    raw = place.settings.raw_bucket
    try:
        chunks = place.store.read_unless_deleted(raw, file.key, file.version)
        if chunks is None:
            raise _SupersededError("Deleted from raw by its uploader before it was read.")
        yield from chunks
    except ObjectGoneError:
        if place.store.lists(raw, file.key, file.version):
            raise _UnreadableError(_LISTED) from None
        raise _SupersededError("Gone from raw before it could be read.") from None
    except PlatformError as error:
        place.store.check(raw)  # if it answers, the fault is this object's
        raise _UnreadableError(str(error)) from error
