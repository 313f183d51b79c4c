"""The original of a file that waits for a person: its bytes, its text, and its records around some lines."""

import codecs
import csv
import hashlib
import re
from collections.abc import Collection, Iterator
from typing import IO, NamedTuple

from minidata.contract import Limits
from minidata.contract.content import decompress, kind_of
from minidata.contract.rule import BLANKS
from minidata.dataset import FORMATS, Dataset, read_datasets
from minidata.errors import ObjectGoneError, PermanentError
from minidata.ledger import File
from minidata.quarantine.change import Change, open_records, records
from minidata.settings import Settings
from minidata.spool import Spool
from minidata.store import ObjectStore

_IN_MEMORY = 16 * 2**20  # bytes; a larger file is on disk
_UNEDITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # a form would change them


class Record(NamedTuple):
    """A record: the line on which it starts, its cells by column name, and whether it is one that was asked for.

    `wrong` are the columns whose cells have an entry.
    """

    line: int
    cells: list[tuple[str, str]]
    asked: bool
    wrong: frozenset[str | None] = frozenset()


def place_of(file: File, settings: Settings, *, rejects: bool = False) -> tuple[str, str]:
    """Return bucket and key of the original, or of its rejected rows.

    Raises:
        PermanentError: if the file has no rejected rows, or has not been moved there yet.
    """
    if rejects and file.rejects_key is None:
        raise PermanentError(f"{file.key} has no rejected rows: it is {file.state}. Fetch the original.")
    if rejects:
        return settings.quarantine_bucket, str(file.rejects_key)
    if file.archive_key is None:
        raise PermanentError(f"The original of {file.key} is not in its place yet: it is {file.state}. Retry later.")
    bucket = settings.quarantine_bucket if file.state == "quarantined" else settings.archive_bucket
    return bucket, file.archive_key


def declared(file: File, settings: Settings) -> Dataset:
    """Return the dataset of a file.

    Raises:
        PermanentError: if it is not declared any more.
    """
    datasets = read_datasets(settings.datasets_folder)
    if file.dataset not in datasets:
        raise PermanentError(f"{file.key} belongs to the dataset {file.dataset}, which is not declared any more.")
    return datasets[file.dataset]


def open_original(store: ObjectStore, settings: Settings, file: File) -> IO[bytes]:
    """Return the stored bytes of the original, from their start; the caller closes it.

    Raises:
        PermanentError: if the object is gone, or holds other bytes than those that were validated.
    """
    bucket, key = place_of(file, settings)
    original = Spool(_IN_MEMORY)  # the caller closes it
    digest = hashlib.sha256()
    try:
        for chunk in store.read(bucket, key):
            digest.update(chunk)
            original.write(chunk)
    except ObjectGoneError as error:
        raise PermanentError(f"{bucket}/{key} is gone. Upload {file.key} again: `./mdp upload`.") from error
    if digest.hexdigest() != file.sha256:
        raise PermanentError(f"{bucket}/{key} is not the file that was moved there. Upload {file.key} again.")
    original.seek(0)
    return original


def compression_of(key: str) -> str:
    """Return how an object is compressed, by the end of its key: `.gz`, `.zst` or nothing."""
    kind = kind_of(key, FORMATS)
    return kind.compression if kind else ""


def as_text(dataset: Dataset, key: str) -> Dataset:
    """Return a dataset with the dialect of one of its text files.

    Raises:
        PermanentError: if the file is no text, such as a workbook.
    """
    kind = kind_of(key, FORMATS)
    if kind is None or kind.format in ("csv", "txt"):
        return dataset
    if kind.format == "tsv":
        return dataset.model_copy(update={"dialect": dataset.dialect.model_copy(update={"delimiter": "\t"})})
    raise PermanentError(
        f"{key} is a file of the format {kind.format}, which only its own program can change. Fetch it with "
        "`./mdp quarantine get`, fix it there, and upload it again."
    )


def open_text(original: IO[bytes], file: File, settings: Settings) -> IO[bytes]:
    """Return the decompressed bytes of a stored file, from their start; the caller closes it.

    Raises:
        InvalidFileError: if it cannot be decompressed.
    """
    text = Spool(_IN_MEMORY)  # the caller closes it
    chunks = iter(lambda: original.read(1 << 20), b"")
    budget = Limits.of(settings).decompressed(file.size)
    for chunk in decompress(chunks, compression_of(file.key), budget):
        text.write(chunk)
    text.seek(0)
    return text


def first_lines(text: IO[bytes], count: int) -> list[str]:
    """Return the first lines of a text, each cut at 200 characters; other bytes than UTF-8 are shown as U+FFFD."""
    text.seek(0)
    head = text.read(4096)
    encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    return [line[:200] for line in head.decode(encoding, errors="replace").splitlines()[:count]]


def header_of(text: IO[bytes], change: Change, dataset: Dataset) -> list[str]:
    """Return the names in the header of a text; none if it cannot be read, or if files of the dataset have none."""
    dialect = dataset.dialect
    if dialect.header is not True:
        return []
    text.seek(0)
    try:
        decoded = open_records(text, change.encoding or dialect.encoding)
    except LookupError:
        return []
    try:
        for _ in range(dialect.skip_lines):
            decoded.readline()
        found = records(decoded, change.delimiter or dialect.delimiter, dialect.quote)
        names = next((cells for _, _, cells in found if cells), [])
    except (UnicodeError, csv.Error):
        return []
    finally:
        decoded.detach()
    return [name.strip(BLANKS) for name in names]


def whole_text(text: IO[bytes], max_bytes: int, encoding: str) -> str | None:
    """Return a text that is short and can be edited in a form; else None."""
    if text.seek(0, 2) > max_bytes:
        return None
    text.seek(0)
    try:
        decoded = text.read().decode("utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding)
    except UnicodeError:
        return None
    return None if _UNEDITABLE.search(decoded) else decoded


def records_around(text: IO[bytes], lines: Collection[int], dataset: Dataset) -> Iterator[Record]:
    """Yield the records that start on some lines, each with the record before and the record after it."""
    last = max(lines, default=0)
    dialect = dataset.dialect
    text.seek(0)
    decoded = open_records(text, dialect.encoding)
    for _ in range(dialect.skip_lines):
        decoded.readline()
    names = [] if dialect.header is True else list(dialect.header or dataset.columns)
    declared = {name: own for own, column in dataset.columns.items() for name in (own, *column.aliases)}
    before: Record | None = None
    after = False
    for line, _, cells in records(decoded, dialect.delimiter, dialect.quote, 1 + dialect.skip_lines):
        if not cells:
            continue
        if not names:
            names = [declared.get(cell.strip(BLANKS), cell) for cell in cells]
            continue
        padded = [*names, *[""] * (len(cells) - len(names))]
        record = Record(line, list(zip(padded, cells, strict=False)), line in lines)
        if record.asked:
            if before:
                yield before
            yield record
            before, after = None, True
        elif after:
            yield record
            before, after = None, False
        else:
            before = record
        if line > last and not after:
            break
    decoded.detach()
