"""Splits the rows of a slice: good ones into typed frames, the others into entries and lines of the rejects file.

Polars parses and types a whole slice. Each row that it does not accept is checked cell by cell, with the exact rules.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from minidata.contract.cells import read_cell, rule_of
from minidata.contract.header import Header
from minidata.contract.numbers import NumberFormat
from minidata.contract.rule import BrokenRuleError, Value
from minidata.contract.slices import Flags, Positions, Slice
from minidata.contract.verdict import RejectEntry
from minidata.dataset import LINE, Column, TimestampColumn

_CUT_VALUE = 200  # code points
_MARK = b"\xef\xbb\xbf"
_GUARD = ""  # name of the column that tells whether all guards of a row hold


class Rows:
    """Splits the rows of one file.

    Args:
        columns: the declared columns, whose rules hold.
        header: of the file.
        arrived_at: when the file arrived; naive means UTC.
        numbers: how the file writes numbers.
        lines: whether a good row gets the line of its record as a last column, `dataset.LINE`.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        header: Header,
        arrived_at: datetime,
        numbers: NumberFormat = NumberFormat(),  # noqa: B008  # frozen
        *,
        lines: bool = False,
    ) -> None:
        self._header = header
        self._lines = lines
        self._instants = {name: column for name, column in columns.items() if isinstance(column, TimestampColumn)}
        arrived = arrived_at.astimezone(UTC).replace(tzinfo=None) if arrived_at.tzinfo else arrived_at
        self._latest = {
            name: arrived + timedelta(hours=column.max_ahead_hours)
            for name, column in self._instants.items()
            if column.max_ahead_hours is not None
        }
        self._rules = {name: rule_of(column, self._latest.get(name), numbers) for name, column in columns.items()}
        self._present = {name: rule for name, rule in self._rules.items() if name in header.positions}
        self._schema = {name: rule.dtype for name, rule in self._rules.items()}
        self._mostly_unusual = False  # as the slices before were; the next will hardly be otherwise

    def split(
        self, slice_: Slice, first: int, reject: Callable[[list[RejectEntry], bytes], bool]
    ) -> list[pl.DataFrame]:
        """Split the records of a slice from this number on.

        Args:
            slice_: some records of the file.
            first: the number of the first one.
            reject: takes the entries of each rejected record in file order, and its line in the rejects file, which
                is the record unchanged; False from it ends the split.

        Returns:
            Typed frames of the good rows, none of them empty.
        """
        suspects = np.arange(len(slice_.starts)) >= first
        bad = np.zeros(len(suspects), bool) if slice_.bad is None else slice_.bad
        sound = suspects & (slice_.widths == self._header.width) & ~slice_.controls & ~bad
        good: list[pl.DataFrame] = []
        text = self._parse(slice_, sound)
        if len(text) == np.count_nonzero(sound):  # else Polars and numpy disagree, and each record is checked
            if self._lines:
                text = text.with_columns(pl.Series(LINE, slice_.lines[sound], pl.Int64()))
            good, doubtful = self.accept(text)
            suspects[np.delete(np.flatnonzero(sound), doubtful)] = False
        values: list[list[Value]] = []
        positions = self._header.positions
        for number in np.flatnonzero(suspects).tolist():
            line = int(slice_.lines[number])
            if bad[number]:
                entries = [RejectEntry(line, None, "not_json", None)]
            elif slice_.widths[number] == self._header.width:
                cells = slice_.cells(number)
                typed, entries = self._check(line, {name: cells[place] for name, place in positions.items()})
                if not entries:
                    values.append([*typed, line] if self._lines else typed)
                    continue
            else:
                entries = [RejectEntry(line, None, "wrong_cell_count", None)]
            if not reject(entries, slice_.record(number) + b"\n"):
                break
        good.append(pl.DataFrame(values, self._schema | ({LINE: pl.Int64()} if self._lines else {}), orient="row"))
        return [frame for frame in good if len(frame)]

    def certain(self, slice_: Slice, extra: pl.Series) -> tuple[list[pl.DataFrame], Positions]:
        """Type the records of a slice that are certainly good, with one more column of theirs.

        Returns:
            Typed frames of these records, and the numbers of all others, ascending.
        """
        everything = np.ones(len(slice_.starts), bool)
        text = self._parse(slice_, everything)
        if len(text) != len(everything):
            return [pl.DataFrame(schema=self._schema | {extra.name: extra.dtype})], np.flatnonzero(everything)
        lines = [pl.Series(LINE, slice_.lines, pl.Int64())] if self._lines else []
        return self.accept(text.with_columns(*lines, extra))

    def _parse(self, slice_: Slice, keep: Flags) -> pl.DataFrame:
        """Return the declared columns that the file has, of the records to keep, as text without null."""
        positions = self._header.positions
        schema = dict.fromkeys(positions, pl.String())
        if not keep.any():
            return pl.DataFrame(schema=schema)
        if slice_.rows:
            rows = [slice_.rows[number] for number in np.flatnonzero(keep)]
            return pl.DataFrame({name: [cells[place] for cells in rows] for name, place in positions.items()}, schema)
        data = slice_.plain(keep)
        if data.startswith((_MARK, b"x")):
            # Polars takes one mark off, and would take `x^` and `x\1` at the very start for compressed data.
            data = _MARK + data
        frame = pl.read_csv(
            data,
            has_header=False,
            separator=slice_.marks.delimiter,
            quote_char=slice_.marks.quote,
            columns=list(positions.values()),
            schema={str(place): pl.String for place in range(self._header.width)},
            empty_string_is_null=False,
            infer_schema=False,
            glob=False,
        )
        return frame.select(pl.col(str(place)).alias(name) for name, place in positions.items())

    def accept(self, text: pl.DataFrame) -> tuple[list[pl.DataFrame], Positions]:
        """Type the rows that are certainly good.

        Args:
            text: the declared columns as text, without null; other columns stay as they are.

        Returns:
            Typed frames of these rows, and the numbers of all other rows, ascending.
        """
        if self._mostly_unusual:
            good, doubtful = self._accept(text, usual=False)
            return [good], doubtful
        usual, doubtful = self._accept(text, usual=True)
        if not doubtful.size:
            return [usual], doubtful
        unusual, still_doubtful = self._accept(text[doubtful], usual=False)
        self._mostly_unusual = len(unusual) > len(usual)
        return [usual, unusual], doubtful[still_doubtful]

    def _accept(self, text: pl.DataFrame, *, usual: bool) -> tuple[pl.DataFrame, Positions]:
        cells = {name: (rule.usual if usual else rule.unusual)(pl.col(name)) for name, rule in self._present.items()}
        values = [
            cells[name].value.alias(name) if name in cells else pl.lit(None, dtype).alias(name)
            for name, dtype in self._schema.items()
        ]
        values += [pl.col(name) for name in text.columns if name not in self._schema]
        guards = pl.all_horizontal(cell.guard for cell in cells.values())
        typed = text.lazy().select(*values, guards.alias(_GUARD)).collect()  # lazily: shared parts are computed once
        limits = [rule.holds(pl.col(name)) for name, rule in self._present.items()]
        limits += [
            (pl.col(name) >= pl.col(column.not_before)).fill_null(value=True)
            for name, column in self._instants.items()
            if column.not_before
        ]
        good = typed.select(pl.all_horizontal(_GUARD, *limits).fill_null(value=False)).to_series()
        typed = typed.drop(_GUARD)
        return (typed if good.all() else typed.filter(good)), np.flatnonzero(~good.to_numpy())

    def _check(self, line: int, cells: Mapping[str, str]) -> tuple[list[Value], list[RejectEntry]]:
        """Check a record by the exact rules; values and entries are in the order of the declared columns."""
        values: dict[str, Value] = {}
        broken: dict[str, list[str]] = {}
        for name, rule in self._rules.items():
            try:
                values[name] = read_cell(rule, cells[name]) if name in cells else None
            except BrokenRuleError as error:
                broken[name] = [str(error)]
        for name, column in self._instants.items():
            if values.get(name) is not None:
                broken[name] = self._compare(name, column, values)
        entries = [
            RejectEntry(line, name, code, cells[name][:_CUT_VALUE])
            for name in self._rules
            for code in broken.get(name, ())
        ]
        return list(values.values()), entries

    def _compare(self, name: str, column: TimestampColumn, values: dict[str, Value]) -> list[str]:
        """Return the rules that an instant breaks against its file's arrival and its row's other instants."""
        codes = []
        value, other = values[name], values.get(column.not_before or "")
        if name in self._latest and value > self._latest[name]:  # type: ignore[operator]  # both instants
            codes.append("future_timestamp")
        if other is not None and value < other:  # type: ignore[operator]  # both instants
            codes.append("updated_before_created")
        return codes
