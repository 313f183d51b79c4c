"""The rejects file: a CSV of every rejected record, with its line and reason codes before its original cells."""

from collections.abc import Iterable

from minidata.contract.verdict import RejectEntry


def rejects_header(header: bytes) -> bytes:
    r"""Return the first line of the rejects file.

    >>> rejects_header(b"a,b")
    b'line,codes,a,b\n'
    """
    return b"line,codes," + header + b"\n"


def reject_line(line: int, entries: Iterable[RejectEntry], record: bytes) -> bytes:
    r"""Return the line of one rejected record, whose cells stay untouched.

    >>> reject_line(7, [RejectEntry(7, "b", "missing_value", "")], b'"x, y",')
    b'7,b:missing_value,"x, y",\n'
    """
    codes = " ".join(f"{entry.column}:{entry.code}" if entry.column else entry.code for entry in entries)
    return b"%d,%s,%s\n" % (line, codes.encode(), record)
