"""Validate: read each file once, keep its good rows in staging, and record what is wrong with the others."""

import json
import logging
import tempfile
from collections.abc import Iterator

import polars as pl

from etl import BatchContext, Counts
from etl.move_files import reasons_key, rejects_key
from minidata import ledger
from minidata.contract import Limits, Verdict
from minidata.contract.validate import validate as check
from minidata.dataset import read_datasets
from minidata.errors import ObjectGoneError, PlatformError
from minidata.ledger import BatchFile
from minidata.rollup import RangeBuilder

log = logging.getLogger(__name__)
_LISTED = (
    "The store lists this object but does not return it: its name may hold characters that a listing cannot carry. "
    "Upload it again under another name and delete this one."
)
_REJECTS_IN_MEMORY = 8 * 2**20  # bytes; more of them are kept on disk until the verdict


def validate(batch: BatchContext) -> Counts:
    """Give every claimed file of the batch its verdict; one that cannot be read is given back, alone."""
    counts = dict.fromkeys(("valid", "invalid", "superseded", "unreadable", "rows", "rejected"), 0)
    for file in ledger.batch_files(batch.connection, batch.batch_id):
        if file.valid:
            counts["valid"] += 1  # an earlier run of this step validated it
        if file.state != "claimed" or file.validated:
            continue
        try:
            verdict = _validate_file(batch, file)
        except _UnreadableError as error:
            ledger.give_back_file(batch.connection, batch.batch_id, file.file_id, str(error), batch.settings)
            counts["unreadable"] += 1
            log.warning("%s (%s) could not be read: %s", file.key, file.version, error)
            continue
        except _SupersededError as error:
            ledger.mark_superseded(batch.connection, batch.batch_id, file.file_id, str(error))
            counts["superseded"] += 1
            log.warning("%s (%s): %s", file.key, file.version, error)
            continue
        counts["invalid" if verdict.reason else "valid"] += 1
        counts["rows"] += verdict.rows_good
        counts["rejected"] += verdict.rows_rejected
        log.info(
            "%s: %s, %d good rows, %d rejected %s",
            file.key,
            verdict.reason.code if verdict.reason else "valid",
            verdict.rows_good,
            verdict.rows_rejected,
            verdict.counts or "",
        )
    return counts


def _validate_file(batch: BatchContext, file: BatchFile) -> Verdict:
    settings = batch.settings
    ranges = RangeBuilder(batch.dataset.columns)
    parts = batch.staging.good_rows(file.file_id)

    def good(rows: pl.DataFrame) -> None:
        ranges.add(rows)
        parts.append(rows)

    with tempfile.SpooledTemporaryFile(_REJECTS_IN_MEMORY) as rejects:
        verdict = check(
            _stored(batch, file),
            key=file.key,
            stored_size=file.size,
            arrived_at=file.arrived_at,
            dataset=batch.dataset,
            limits=Limits(
                max_file_bytes=settings.max_file_bytes,
                max_rejected_share=settings.max_rejected_share,
                slice_bytes=settings.slice_bytes,
            ),
            good=good,
            rejects=rejects.write,
            datasets=read_datasets(settings.datasets_folder).values(),
        )
        kept = None
        if verdict.rows_rejected and verdict.reason is None:
            kept = rejects_key(file.key, verdict.sha256, file.dataset, file.arrived_at)
            rejects.seek(0)
            page = json.dumps(_rejects_page(file, verdict), indent=2, ensure_ascii=False).encode(errors="replace")
            batch.store.write(settings.quarantine_bucket, reasons_key(kept), page)
            batch.store.write(settings.quarantine_bucket, kept, rejects)
    ledger.record_verdict(batch.connection, batch.batch_id, file.file_id, verdict, kept)
    ledger.record_ranges(batch.connection, file.file_id, ranges.finish())
    return verdict


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


def _stored(batch: BatchContext, file: BatchFile) -> Iterator[bytes]:
    """Stream a file from `raw`; a failure to read it differs from a failure to write what becomes of it."""
    raw = batch.settings.raw_bucket
    try:
        if batch.store.deleted(raw, file.key):
            raise _SupersededError("Deleted from raw by its uploader before it was read.")
        yield from batch.store.read(raw, file.key, file.version)
    except ObjectGoneError:
        if batch.store.lists(raw, file.key, file.version):
            raise _UnreadableError(_LISTED) from None
        raise _SupersededError("Gone from raw before it could be read.") from None
    except PlatformError as error:
        batch.store.check(raw)  # if it answers, the fault is this object's
        raise _UnreadableError(str(error)) from error
