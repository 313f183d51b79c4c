"""Files that are read from their end: kept on disk while they are, their damages, and ZIP archives."""

import errno
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

import polars as pl

from minidata.contract.verdict import InvalidFileError, reason
from minidata.spool import Spool

_IN_MEMORY = 16 << 20  # bytes of a file that cannot be read as a stream; more of them are kept on disk
_DIRECTORY_BYTES = 1 << 20  # of a ZIP archive; each of its entries takes ten times the memory


@contextmanager
def on_disk(content: Iterable[bytes]) -> Iterator[IO[bytes]]:
    """Keep content that is read from its end, in memory or on disk."""
    with Spool(_IN_MEMORY) as file:
        for chunk in content:
            file.write(chunk)
        file.seek(0)
        yield file


@contextmanager
def judged(code: str, what: str) -> Iterator[None]:
    """Let what the reader of a format raises be the file's fault: where a file is damaged, it raises almost anything.

    Args:
        code: the reason.
        what: what is wrong, as a sentence without its end.

    Raises:
        InvalidFileError: with this reason.
        OSError, MemoryError: of the machine; an offset that no file has is the file's fault.
    """
    try:
        yield
    except (InvalidFileError, MemoryError):
        raise
    except (Exception, pl.exceptions.PanicException) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidFileError(reason(code, f"{what}: {first[:200].rstrip('.')}.")) from error


class _Bounded:
    """A file that gives little at once; `zipfile` reads the whole directory of an archive in one call."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes."""
        if size > _DIRECTORY_BYTES:
            raise zipfile.BadZipFile(f"its directory has more than {_DIRECTORY_BYTES:,} bytes")
        return self._file.read(size)


def open_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """Open a ZIP archive whose directory is small enough to be held in memory.

    Raises:
        zipfile.BadZipFile: if it is not, or the file is no archive.
    """
    return zipfile.ZipFile(cast("IO[bytes]", _Bounded(file)))


def unzip(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the only file of a ZIP archive.

    Raises:
        InvalidFileError: `bad_compression`.
    """
    with judged("bad_compression", "The archive cannot be read"), open_zip(file) as archive:
        parts = [part for part in archive.infolist() if not (part.is_dir() or part.filename.startswith("__MACOSX/"))]
        if len(parts) != 1:
            what = f"The archive holds {len(parts)} files; a snapshot is one."
            raise InvalidFileError(reason("bad_compression", what))
        if parts[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others have no bound
            what = "The archive is compressed by another method than Deflate."
            raise InvalidFileError(reason("bad_compression", what))
        with archive.open(parts[0]) as member:
            while chunk := member.read(1 << 20):
                yield chunk
