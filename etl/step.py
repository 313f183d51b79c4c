"""Runs one step of a batch: with a heartbeat while it works, a report when it ends, and a release when it fails."""

import logging
import time
from collections.abc import Callable

import psycopg
from opentelemetry import trace

from etl import BatchContext, Counts
from etl.archive import archive
from etl.load import load
from etl.transform import transform
from etl.validate import validate
from etl.watch import watched
from minidata import ledger
from minidata.dataset import sound_dataset, sound_datasets
from minidata.errors import ClaimLostError, PlatformError
from minidata.settings import Settings, load_settings
from minidata.staging import Staging
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect, is_outage

log = logging.getLogger(__name__)
STEPS: dict[str, Callable[[BatchContext], Counts]] = {
    "validate": validate,
    "transform": transform,
    "load": load,
    "archive": archive,
}


def run_step(name: str, batch_id: int) -> Counts:
    """Run one step of a batch, and give its files back if it fails.

    Args:
        name: of `STEPS`.
        batch_id: what `extract` returned.

    Returns:
        The step's counts, which the batch's report keeps as well.

    Raises:
        ClaimLostError: if the batch has ended meanwhile.
        Exception: whatever the step failed with; its files are pending again.
    """
    settings = load_settings()
    started = time.monotonic()
    try:
        with (
            trace.get_tracer("mdp").start_as_current_span(name, attributes={"mdp.batch": batch_id}) as span,
            watched(settings, lambda why: _give_back(batch_id, RuntimeError(why), settings)),
            connect(settings, "loader", idle_seconds=settings.lease_seconds) as connection,
            ledger.heartbeat(batch_id, settings),
        ):
            batch = ledger.find_batch(connection, batch_id)
            store = ObjectStore(settings)
            dataset = sound_dataset(settings.datasets_folder, batch.dataset)
            context = BatchContext(
                batch_id=batch_id,
                dataset=dataset,
                datasets=sound_datasets(settings.datasets_folder),
                connection=connection,
                store=store,
                staging=Staging(store, settings.staging_bucket, batch.token),
                settings=settings,
            )
            counts = STEPS[name](context)
            # A rollup may be called `seconds`; its count is what `load` compares.
            report = {"seconds": round(time.monotonic() - started, 3)} | counts
            ledger.report_step(connection, batch_id, name, report)
            span.set_attributes({"mdp.dataset": batch.dataset, **{f"mdp.{what}": n for what, n in counts.items()}})
    except Exception as error:
        _give_back(batch_id, error, settings)
        raise
    log.info("%s: %s", name, ", ".join(f"{what} {count}" for what, count in counts.items()))
    return counts


def _give_back(batch_id: int, error: Exception, settings: Settings) -> None:
    """Release the batch over a connection of its own; without one its lease runs out."""
    if isinstance(error, ClaimLostError):
        return
    message = f"{type(error).__name__}: {error}"
    blameless = isinstance(error, PlatformError) or is_outage(error)
    try:
        with connect(settings, "loader") as connection:
            ledger.release(connection, batch_id, message, settings, blameless=blameless)
    except (PlatformError, psycopg.Error) as away:
        log.warning("Batch %d could not be released, its lease will run out: %s", batch_id, away)


def release_unfinished(run: str) -> None:
    """Release what a failed run still holds, if anything; its lease would run out later."""
    settings = load_settings()
    with connect(settings, "loader") as connection:
        ledger.release_run(connection, run, "The run ended without releasing its batch.", settings)
