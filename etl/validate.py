"""Validate: read each file once, keep its good rows in staging, and say what is wrong with the others."""

import io
import logging
import tempfile
from collections.abc import Iterator

import polars as pl

from etl.step import Counts, Work
from minidata import ledger
from minidata.contract import Limits, Verdict
from minidata.contract.validate import validate as judge
from minidata.errors import ObjectGoneError, PlatformError
from minidata.ledger import BatchFile
from minidata.store import rejects_key, staging_prefix

log = logging.getLogger(__name__)
_LISTED = (
    "The store lists this object and does not give it out: its name may hold characters that a listing cannot carry. "
    "Upload it again under another name, and delete this one."
)
_REJECTS_IN_MEMORY = 8 * 2**20  # bytes; more of them wait on disk until the verdict


def validate(work: Work) -> Counts:
    """Give every claimed file of the batch its verdict; one that cannot be read is given back, alone."""
    counts = dict.fromkeys(("valid", "invalid", "superseded", "unreadable", "rows", "rejected"), 0)
    for file in ledger.batch_files(work.connection, work.batch.batch_id):
        if file.state != "claimed" or file.validated:
            continue
        try:
            verdict = _validate_file(work, file)
        except _UnreadableError as error:
            work.store.check(work.settings.raw_bucket)  # it answers: the fault is this one object's
            ledger.give_back_file(work.connection, work.batch.batch_id, file.file_id, str(error), work.settings)
            counts["unreadable"] += 1
            log.warning("%s (%s) could not be read: %s", file.key, file.version, error)
            continue
        except ObjectGoneError:
            if work.store.lists(work.settings.raw_bucket, file.key, file.version):
                ledger.give_back_file(work.connection, work.batch.batch_id, file.file_id, _LISTED, work.settings)
                counts["unreadable"] += 1
                log.warning("%s (%s): %s", file.key, file.version, _LISTED)
                continue
            ledger.mark_superseded(work.connection, work.batch.batch_id, file.file_id)
            counts["superseded"] += 1
            log.warning("%s (%s) is gone from raw: superseded", file.key, file.version)
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


def _validate_file(work: Work, file: BatchFile) -> Verdict:
    settings = work.settings
    part = 0

    def keep(rows: pl.DataFrame) -> None:
        nonlocal part
        buffer = io.BytesIO()
        rows.write_parquet(buffer, compression="lz4", statistics=False)
        work.store.write(settings.staging_bucket, f"{good_prefix(work, file)}{part:06}.parquet", buffer.getvalue())
        part += 1

    with tempfile.SpooledTemporaryFile(_REJECTS_IN_MEMORY) as rejects:
        verdict = judge(
            _stored(work, file),
            key=file.key,
            stored_size=file.size,
            arrived_at=file.arrived_at,
            dataset=work.dataset,
            limits=Limits(
                max_file_bytes=settings.max_file_bytes,
                max_rejected_share=settings.max_rejected_share,
                slice_bytes=settings.slice_bytes,
            ),
            good=keep,
            rejects=lambda data: void(rejects.write(data)),
        )
        kept = None
        if verdict.rows_rejected and verdict.reason is None:
            kept = rejects_key(file.key, verdict.sha256, file.dataset, file.arrived_at)
            rejects.seek(0)
            work.store.write(settings.quarantine_bucket, kept, rejects)
    ledger.record_verdict(work.connection, work.batch.batch_id, file.file_id, verdict, kept)
    return verdict


class _UnreadableError(PlatformError):
    """The store does not give an object out."""


def _stored(work: Work, file: BatchFile) -> Iterator[bytes]:
    """Stream a file from `raw`; what goes wrong with reading is told from what goes wrong with writing."""
    try:
        yield from work.store.read(work.settings.raw_bucket, file.key, file.version)
    except ObjectGoneError:
        raise
    except PlatformError as error:
        raise _UnreadableError(str(error)) from error


def void(_: object) -> None:
    """Forget a result that nobody needs."""


def good_prefix(work: Work, file: BatchFile) -> str:
    """Name the folder in staging that holds the good rows of a file, as Parquet parts."""
    return f"{staging_prefix(work.batch.token)}good/{file.file_id}/"


def good_rows(work: Work, file: BatchFile) -> Iterator[pl.DataFrame]:
    """Read the good rows of a file back, part by part."""
    for key in work.store.keys(work.settings.staging_bucket, good_prefix(work, file)):
        yield pl.read_parquet(io.BytesIO(b"".join(work.store.read(work.settings.staging_bucket, key))))
