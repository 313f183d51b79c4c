"""A fix: the changed file, the verdict it would get, and its way into `raw` as a version that names what it fixes."""

import gzip
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import zstandard

from minidata import ledger
from minidata.contract import Limits, Verdict
from minidata.contract.validate import validate
from minidata.dataset import Dataset, dataset_of, read_datasets
from minidata.errors import PermanentError
from minidata.ledger import File
from minidata.quarantine.change import Change, Diff, compare, rewrite
from minidata.quarantine.original import as_text, compression_of, declared, open_original, open_text
from minidata.settings import Settings
from minidata.spool import Spool
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection

_IN_MEMORY = 16 * 2**20
_LISTED_SECONDS = 10.0
_COMPARED_BYTES = 2**20

Edit = Callable[[Path], None]


@dataclass(frozen=True)
class Fix:
    """A fix that is not sent yet.

    Attributes:
        file: what it fixes.
        key: of the new version.
        dataset: of that key.
        content: the new stored bytes.
        before: what validation says of the original now.
        after: what it says of the new content.
        diff: the changed records; after an edit by hand the changed lines, of a file of at most 1 MiB.
    """

    file: File
    key: str
    dataset: str
    content: IO[bytes]
    before: Verdict
    after: Verdict
    diff: Diff

    @property
    def accepted(self) -> bool:
        """Whether the new version would be loaded."""
        return self.after.reason is None

    @property
    def refusal(self) -> str | None:
        """Why it cannot be sent, if it does not help."""
        if self.worse:
            return "The change makes it worse: fewer rows would be loaded than before."
        if not self.accepted:
            return "The result would still be refused. Add what is missing to the same fix."
        return None

    @property
    def worse(self) -> bool:
        """Whether less of the new version would be loaded than of the original."""
        return _rows(self.after) < _rows(self.before)


def in_words(verdict: Verdict) -> str:
    """Say what would become of a file."""
    if verdict.reason:
        return f"refused, {verdict.reason.code}: {verdict.reason.message}"
    rejected = f", {verdict.rows_rejected:,} rejected ({', '.join(verdict.counts)})" if verdict.rows_rejected else ""
    return f"accepted, {verdict.rows_good:,} rows{rejected}"


def _rows(verdict: Verdict) -> int:
    return 0 if verdict.reason else verdict.rows_good


def judge(
    content: IO[bytes], key: str, arrived_at: datetime, dataset: Dataset, settings: Settings, kept: int | None = None
) -> Verdict:
    """Validate stored bytes without loading them; `kept` is the number of rejected records whose entries are kept."""
    size = content.seek(0, 2)
    content.seek(0)
    limits = Limits.of(settings)
    return validate(
        iter(lambda: content.read(1 << 20), b""),
        key=key,
        stored_size=size,
        arrived_at=arrived_at,
        dataset=dataset,
        limits=limits if kept is None else replace(limits, kept_records=kept),
        good=lambda _: None,
        rejects=lambda _: None,
    )


def prepare(
    store: ObjectStore,
    settings: Settings,
    file: File,
    change: Change,
    *,
    key: str | None = None,
    edit: Edit | None = None,
) -> Fix:
    """Make the fix of a file and judge it; nothing is sent.

    Args:
        store: with the pipeline's key.
        settings: limits and names of the buckets.
        file: that waits for a person.
        change: what to change.
        key: of the new version, if another than the file's.
        edit: lets a person edit the changed text in a file.

    Raises:
        PermanentError: if the change does not fit the file, or its original is gone.
    """
    datasets = read_datasets(settings.datasets_folder)
    new_key = key or file.key
    dataset = datasets[dataset_of(new_key, datasets.values(), settings.default_dataset)]
    with ExitStack() as stack:
        original = stack.enter_context(open_original(store, settings, file))
        before = judge(original, file.key, file.arrived_at, declared(file, settings), settings)
        original.seek(0)
        text = stack.enter_context(open_text(original, file, settings))
        changed = stack.enter_context(tempfile.NamedTemporaryFile(suffix=".csv"))
        diff = rewrite(text, changed, change, as_text(dataset, file.key))
        if edit:
            diff = _edited(Path(changed.name), edit, dataset.dialect.encoding)
        changed.seek(0)
        content = _compressed(changed, compression_of(new_key))
    after = judge(content, new_key, datetime.now(UTC), dataset, settings)
    content.seek(0)
    return Fix(file, new_key, dataset.name, content, before, after, diff)


def _edited(path: Path, edit: Edit, encoding: str) -> Diff:
    small = path.stat().st_size <= _COMPARED_BYTES
    before = path.read_bytes() if small else b""
    edit(path)
    if not small:
        return Diff()
    return compare(before.decode(encoding, "replace"), path.read_bytes().decode(encoding, "replace"))


def _compressed(text: IO[bytes], compression: str) -> IO[bytes]:
    content = Spool(_IN_MEMORY)
    if compression == ".gz":
        with gzip.GzipFile(fileobj=content, mode="wb", mtime=0) as stream:
            shutil.copyfileobj(text, stream)
    elif compression == ".zst":
        with zstandard.ZstdCompressor().stream_writer(content, closefd=False) as writer:
            shutil.copyfileobj(text, writer)
    else:
        shutil.copyfileobj(text, content)
    return content


def send(connection: Connection, store: ObjectStore, settings: Settings, fix: Fix) -> str:
    """Upload a fix that helps as a new version that names what it fixes, unless someone else was quicker.

    Returns:
        The new version.

    Raises:
        PermanentError: if it does not help, the file was closed meanwhile, or another fix of it is on its way.
    """
    if fix.refusal:
        raise PermanentError(f"It was not sent: {fix.refusal}")
    with connection.transaction():
        ledger.lock_to_fix(connection, fix.file)
        metadata = {"mdp-fixes": fix.file.version}
        fix.content.seek(0)
        version = store.write(settings.raw_bucket, fix.key, fix.content, metadata)
        until = time.monotonic() + _LISTED_SECONDS
        while True:
            listed = store.versions(settings.raw_bucket, fix.key)
            found = next((v for v in listed if (v.key, v.version) == (fix.key, version)), None)
            if found:
                ledger.register_fix(connection, found, fix.dataset, fix.file.file_id)
                return version
            if time.monotonic() > until:
                raise PermanentError(f"{fix.key} was uploaded, and the store does not list it. Check `./mdp files`.")
            time.sleep(0.1)
