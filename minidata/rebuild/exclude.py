"""Takes files out of the tables of a dataset, and puts them back in."""

from collections.abc import Iterable

from minidata.dataset import Dataset
from minidata.errors import PermanentError, TransientError
from minidata.ledger import lock_dataset
from minidata.ledger.contents import (
    Content,
    accepted_contents,
    being_loaded,
    contents,
    mark_excluded,
    mark_included,
    original_of,
)
from minidata.ledger.review import lock_settling, reopen, settle
from minidata.rebuild.archive import Archive, Progress
from minidata.rebuild.lock import exclusive
from minidata.rollup import KeyedPartials, Partials, merge, merge_partials, overlap, ranges_of_keys, replace_rows, stage
from minidata.warehouse.connection import Connection


def exclude(
    connection: Connection,
    dataset: Dataset,
    files: Iterable[Content],
    archive: Archive,
    *,
    who: str,
    why: str | None,
    progress: Progress = lambda _, __: None,
) -> dict[str, int]:
    """Take archived files out: all tables become what they would be had the files never come.

    The rows of the files' keys are made again from the other files of the dataset.

    Args:
        connection: to the warehouse, as `mdp_loader`.
        dataset: of the files.
        files: archived ones.
        archive: where all files are read.
        who: the person, for the ledger.
        why: the reason, for the ledger.
        progress: takes the number of other files that are read, and of all.

    Returns:
        The number of rows written by table.

    Raises:
        PermanentError: if a file is missing from the archive, or the rules have changed since it was loaded.
        TransientError: if another such command runs, or a file with the same content is being loaded.
    """
    chosen = list(files)
    ids = [file.file_id for file in chosen]
    with exclusive(connection, dataset.name):
        affected = _read(archive, dataset, (file for file in chosen if file.duplicate_of is None))
        touched = any(partial.height for partial in affected.values())
        others = accepted_contents(connection, dataset.name, without=ids) if touched else []
        near = _Near(dataset, affected)
        kept = _read(archive, dataset, filter(near, others), affected, progress)
        with connection.transaction():
            lock_dataset(connection, dataset.name)
            known = {(other.sha256, other.arrived_at) for other in others}
            late = accepted_contents(connection, dataset.name, without=ids) if touched else []
            new = [c for c in late if (c.sha256, c.arrived_at) not in known and near(c)]
            if new:
                kept = merge_partials(dataset, kept, _read(archive, dataset, new, affected))
            written = replace_rows(connection, dataset, affected, kept)
            _require_quiet(connection, chosen)
            _require_state(connection, ids, "archived")
            mark_excluded(connection, chosen, who, why)
            lock_settling(connection)
            reopen(connection, ids)
    return written


def include(connection: Connection, dataset: Dataset, files: Iterable[Content], archive: Archive) -> dict[str, int]:
    """Put excluded files back: all tables become what they would be had the files never been taken out.

    Args:
        connection: to the warehouse, as `mdp_loader`.
        dataset: of the files.
        files: excluded ones.
        archive: where they are read.

    Returns:
        The number of rows written by table.

    Raises:
        PermanentError: if a file is missing from the archive, or the rules have changed since it was loaded.
        TransientError: if another such command runs, or a file with the same content is being loaded.
    """
    chosen = list(files)
    with exclusive(connection, dataset.name):
        partials = _read(archive, dataset, chosen)
        with connection.transaction():
            loads = [stage(connection, dataset, name, [partial]) for name, partial in partials.items()]
            lock_dataset(connection, dataset.name)
            written = merge(connection, dataset, loads)
            _require_quiet(connection, chosen)
            _require_state(connection, [file.file_id for file in chosen], "excluded")
            for file in sorted(chosen, key=lambda file: file.arrived_at, reverse=True):
                mark_included(connection, file, original_of(connection, file, by_arrival=dataset.by_arrival))
            lock_settling(connection)
            settle(connection, [file.file_id for file in chosen])
    return written


def _require_quiet(connection: Connection, files: list[Content]) -> None:
    """Check that no batch has decided on the same content, so that it counts once.

    Raises:
        TransientError: if one has.
    """
    if keys := being_loaded(connection, files):
        raise TransientError(
            f"{', '.join(keys)} with the same content is being loaded. Nothing was changed; retry in a moment."
        )


def _require_state(connection: Connection, ids: list[int], state: str) -> None:
    changed = [file.key for file in contents(connection, ids) if file.state != state]
    if changed:
        raise TransientError(f"{', '.join(changed)} is not {state} any more. Nothing was changed.")


def _read(
    archive: Archive,
    dataset: Dataset,
    files: Iterable[Content],
    within: Partials | None = None,
    progress: Progress = lambda _, __: None,
) -> Partials:
    """Return the partials of some files for each table; only of the keys that other partials have, if given."""
    found = KeyedPartials(dataset, within)
    found.add(archive.no_rows(dataset))
    for file, good in archive.read(list(files), dataset, found.add, progress):
        if good != file.rows_good:
            raise PermanentError(
                f"{file.key} had {file.rows_good:,} good rows when it was loaded, and has {good:,} by the current "
                f"rules. Nothing was changed. Run `./mdp rebuild --dataset {dataset.name}` first."
            )
    return found.finish()


class _Near:
    """Tells whether a file can hold a key of some partials, as far as the ledger knows its ranges."""

    def __init__(self, dataset: Dataset, affected: Partials) -> None:
        self._wanted = [ranges_of_keys(dataset, name, partial) for name, partial in affected.items()]

    def __call__(self, file: Content) -> bool:
        return file.ranges is None or any(overlap(ranges, file.ranges) for ranges in self._wanted)
