"""Structure: the records that a slice holds are those that a reader of single characters finds."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from minidata.contract import slices as module
from minidata.contract.slices import Slice, slices
from minidata.contract.verdict import InvalidFileError
from tests.oracle import csv_text

SOUP = st.text('a,"\n\r\x01', max_size=24)


def _slices(text: bytes, slice_bytes: int, piece: int) -> list[Slice]:
    return list(slices((text[at : at + piece] for at in range(0, len(text), piece)), slice_bytes))


@settings(max_examples=1500, deadline=None)
@given(SOUP, st.integers(1, 9), st.integers(1, 9))
@example('"a""b",c\n', 1, 1)
@example('a"",b\n', 1, 1)
@example('a"\n""\n', 1, 2)
@example('"a"\r\n\r\n"b"', 3, 1)
@example('a\r\r\n"\r\r\n"', 9, 9)
def test_records_lines_and_cells_are_those_of_a_reader_of_single_characters(
    text: str, slice_bytes: int, piece: int
) -> None:
    try:
        expected = list(csv_text.records(text))
    except csv_text.NotCsvError:
        with pytest.raises(InvalidFileError, match="is not CSV"):
            _slices(text.encode(), slice_bytes, piece)
        return
    found = _slices(text.encode(), slice_bytes, piece)
    assert [(int(s.lines[n]), s.cells(n)) for s in found for n in range(len(s.lines))] == expected
    assert [width for s in found for width in s.widths.tolist()] == [len(cells) for _, cells in expected]
    assert b"".join(s.data for s in found).removesuffix(b"\n") == text.encode().removesuffix(b"\n")


@given(SOUP, st.integers(1, 5))
def test_control_characters_are_found_in_their_records(text: str, piece: int) -> None:
    try:
        found = _slices(text.encode(), 1, piece)
    except InvalidFileError:
        return
    for s in found:
        assert s.controls.tolist() == [b"\x01" in s.record(n) for n in range(len(s.lines))]


@pytest.mark.parametrize("text", [b'a"b,"c""d",e""\n"x",y"\n', b'a"\n""""\n'])
def test_a_quote_in_an_unquoted_cell_is_literal_and_read_by_the_standard_library(text: bytes) -> None:
    (found,) = _slices(text, 1 << 20, 1 << 20)
    assert found.rows == [cells for _, cells in csv_text.records(text.decode())]


@pytest.mark.parametrize("text", [b'a,"b""c","","\r\n,"\r\n"x",y,"""",z\n\n', b"a,b\r\nc,d\n"])
def test_records_with_each_quote_in_its_place_are_left_to_polars(text: bytes) -> None:
    (found,) = _slices(text, 1 << 20, 1 << 20)
    assert found.rows is None


def test_a_plain_csv_leaves_out_records_empty_lines_and_carriage_returns() -> None:
    (found,) = _slices(b'a,b\r\nleft out\n"q\r\nr",x\r\n\r\nlast,\n', 1 << 20, 1 << 20)
    assert found.plain(found.widths == 2) == b'a,b\n"q\r\nr",x\nlast,\n'


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (b'a\nb\n"c"d\n', 3, "text follows a closing quote"),
        (b'a\n"b\nc', 2, "never closed"),
        (b'a"\n"b\nc', 2, "never closed"),
        (b"a\nb\rc\n", 2, "a CR that is not part of a CRLF"),
        (b"a\nb\r\r\n", 2, "a CR that is not part of a CRLF"),
        (b"a\nb\nc\r", 3, "ends with a CR"),
        (b'"a"\r', 1, "ends with a CR"),
        (b'a\n\n"b"\rc', 3, "a CR that is not part of a CRLF"),
    ],
)
@pytest.mark.parametrize("piece", [1, 100])
@pytest.mark.parametrize("slice_bytes", [1, 1 << 20])
def test_text_that_is_not_csv_is_refused_with_its_line(
    text: bytes, line: int, what: str, piece: int, slice_bytes: int
) -> None:
    with pytest.raises(InvalidFileError, match=f"^Line {line} is not CSV: .*{what}"):
        _slices(text, slice_bytes, piece)


@pytest.mark.parametrize("record", [b"x" * 19 + b"\n", b'x"' + b"x" * 17 + b"\n"], ids=["regular", "literal-quote"])
def test_slices_are_hardly_larger_than_asked_for(record: bytes) -> None:
    found = _slices(record * 1000, 800, 100)
    assert all(780 <= len(s.data) <= 1000 for s in found[:-1])
    assert [int(s.lines[0]) for s in found] == [1 + sum(len(t.lines) for t in found[:n]) for n in range(len(found))]


def test_a_slice_of_tiny_records_holds_fewer_bytes() -> None:
    found = _slices(b"a\n" * 10_000, 1600, 100)
    assert max(len(s.lines) for s in found) <= 1600 // 16 + 1600 // 8
    assert sum(len(s.lines) for s in found) == 10_000


def test_the_cells_of_few_records_at_once_are_held_by_the_slow_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS_READ", 10)
    found = _slices(b'a"\n' * 95, 1 << 20, 1 << 20)
    assert [len(s.lines) for s in found] == [10] * 9 + [5]
    assert [line for s in found for line in s.lines.tolist()] == list(range(1, 96))


def test_a_record_of_many_slices_is_found_whole() -> None:
    record = b'"' + b"a\n" * 600_000 + b'"\n'
    found = _slices(b"first\n" + record + b"last", 1000, 50_000)
    assert b"".join(s.data for s in found) == b"first\n" + record + b"last\n"
    assert [line for s in found for line in s.lines.tolist()] == [1, 2, 600_003]


def test_a_quote_that_is_never_closed_is_told_with_its_line_however_much_follows() -> None:
    with pytest.raises(InvalidFileError, match=r"^Line 3 is not CSV: .* never closed"):
        _slices(b'a\nb\n"c' + b"d\n" * 600_000, 1000, 50_000)


@pytest.mark.parametrize("start", [b'a\nb\n"c', b'a"\nb\n"c'], ids=["regular", "literal-quote"])
@pytest.mark.parametrize(("more", "most"), [(b"d" * 1024, 1030), (b"\n" * 1024, 70)], ids=["bytes", "lines"])
def test_a_record_beyond_the_limit_is_refused_before_the_file_ends(
    monkeypatch: pytest.MonkeyPatch, start: bytes, more: bytes, most: int
) -> None:
    monkeypatch.setattr(module, "MAX_RECORD_BYTES", 1 << 20)
    drawn = 0

    def text() -> Iterator[bytes]:
        nonlocal drawn
        yield start
        while True:
            drawn += 1
            yield more

    with pytest.raises(
        InvalidFileError, match=r"^Line 3 is not CSV: a record has more than 1 MiB, 65,536 lines or .* never closed"
    ):
        list(slices(text(), 1000))
    assert drawn <= most


def test_a_record_within_the_limit_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORD_BYTES", 1 << 20)
    record = b'"' + b"a" * ((1 << 20) - 10) + b'"\n'
    found = _slices(b"x\n" + record * 3, 1000, 50_000)
    assert [len(s.record(n)) for s in found for n in range(len(s.lines))] == [1] + [len(record) - 1] * 3
