"""Structure: what numpy finds in blocks is what a reader of single characters finds."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from minidata.contract.scan import NotCsvError, Scanner
from minidata.contract.slicer import Slicer
from minidata.contract.slices import Slice
from minidata.contract.verdict import CondemnedError
from tests.oracle import csv_text

SOUP = st.text('a,"\n\r\x01', max_size=24)


def _slices(text: bytes, slice_bytes: int, piece: int) -> list[Slice]:
    slicer = Slicer(slice_bytes)
    found = [slicer.feed(text[at : at + piece]) for at in range(0, len(text), piece)]
    return [slice_ for slice_ in [*found, slicer.finish()] if slice_ is not None]


@settings(max_examples=1500, deadline=None)
@given(SOUP, st.integers(1, 9), st.integers(1, 9))
@example('"a""b",c\n', 1, 1)
@example('a"",b\n', 1, 1)
@example('a"\n""\n', 1, 2)
@example('"a"\r\n\r\n"b"', 3, 1)
def test_records_lines_and_cells_are_those_of_a_reader_of_single_characters(
    text: str, slice_bytes: int, piece: int
) -> None:
    try:
        expected = [(line, len(cells)) for line, cells in csv_text.records(text)]
    except csv_text.NotCsvError:
        with pytest.raises(CondemnedError, match="is no CSV"):
            _slices(text.encode(), slice_bytes, piece)
        return
    slices = _slices(text.encode(), slice_bytes, piece)
    found = [pair for s in slices for pair in zip(s.lines.tolist(), s.cells.tolist(), strict=True)]
    assert [(line, cells) for line, cells in found if cells] == expected
    assert b"".join(s.data for s in slices).removesuffix(b"\n") == text.encode().removesuffix(b"\n")


@given(SOUP, st.integers(1, 5))
def test_control_characters_are_found_in_their_records(text: str, piece: int) -> None:
    try:
        slices = _slices(text.encode(), 1, piece)
    except CondemnedError:
        return
    for s in slices:
        assert s.controls.tolist() == [b"\x01" in s.record(n) for n in range(len(s.ends))]


def test_quotes_in_unquoted_cells_are_noted_and_all_others_are_not() -> None:
    (found,) = _slices(b'a"b,"c""d",e""\n"x",y"\n', 1 << 20, 1 << 20)
    assert found.literals.tolist() == [1, 12, 13, 20]


def test_a_quote_that_follows_a_literal_one_of_the_block_before_is_literal_as_well() -> None:
    scanner = Scanner()
    scanner.scan(b'a"x')  # two bytes wait for what follows
    scanner.scan(b'""\n', final=True)
    assert not scanner.inside
    assert np.concatenate(scanner.literals).tolist() == [1, 3, 4]


def test_clean_leaves_out_records_carriage_returns_and_literal_quotes() -> None:
    (found,) = _slices(b'a,b\r\nleft out\n"q\r\nr",x"y\r\n\r\nlast', 1 << 20, 1 << 20)
    keep = (found.cells == 2) | (found.cells == 0)
    assert found.clean(keep) == b'a,b\n"q\r\nr",x\x01y\n\n'


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (b'a\nb\n"c"d\n', 3, "text follows a closing quote"),
        (b'a\n"b\nc', 2, "never closed"),
        (b"a\nb\rc\n", 2, "a CR that is not part of a CRLF"),
        (b"a\nb\nc\r", 3, "ends with a CR"),
        (b'"a"\r', 1, "ends with a CR"),
        (b'a\n\n"b"\rc', 3, "text follows a closing quote"),
    ],
)
@pytest.mark.parametrize("piece", [1, 100])
def test_text_that_is_no_csv_is_refused_with_its_line(text: bytes, line: int, what: str, piece: int) -> None:
    with pytest.raises(CondemnedError, match=f"^Line {line} is no CSV: .*{what}"):
        _slices(text, 1 << 20, piece)


def test_the_scanner_tells_where_the_text_stops_to_be_csv() -> None:
    with pytest.raises(NotCsvError) as refused:
        Scanner().scan(b'ab,"c"d\n', final=True)
    assert refused.value.position == 5


def test_slices_are_hardly_larger_than_asked_for() -> None:
    record = b"x" * 19 + b"\n"
    slices = _slices(record * 1000, 800, 100)
    assert all(800 <= len(s.data) <= 1000 for s in slices[:-1])
    assert [int(s.lines[0]) for s in slices] == [1 + sum(len(t.ends) for t in slices[:n]) for n in range(len(slices))]


def test_a_slice_of_tiny_records_holds_fewer_bytes() -> None:
    slices = _slices(b"\n" * 10_000, 1600, 100)
    assert max(len(s.ends) for s in slices) <= 1600 // 16 + 1600 // 8
    assert sum(len(s.ends) for s in slices) == 10_000


def test_a_record_that_goes_on_and_on_waits_on_disk_until_it_ends() -> None:
    record = b'"' + b"a\n" * 600_000 + b'"\n'
    slices = _slices(b"first\n" + record + b"last", 1000, 50_000)
    assert b"".join(s.data for s in slices) == b"first\n" + record + b"last\n"
    assert [line for s in slices for line in s.lines.tolist()] == [1, 2, 600_003]


def test_a_quote_that_is_never_closed_is_told_with_its_line_however_much_follows() -> None:
    with pytest.raises(CondemnedError, match=r"^Line 3 is no CSV: .* never closed"):
        _slices(b'a\nb\n"c' + b"d\n" * 600_000, 1000, 50_000)
