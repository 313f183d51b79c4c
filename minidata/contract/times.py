"""The rules of dates and timestamps: the format of the contract, formats of a declaration, epochs, time zones."""

import re
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, Protocol

import polars as pl

from minidata.contract.rule import BrokenRuleError, CellRule, Typed, stripped, trimmed, whole
from minidata.dataset import DateColumn, TimestampColumn
from minidata.dataset.formats import EPOCHS, MONTHS, to_regex

_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-5][0-9])(?:\.([0-9]{1,6}))?)?"
    r"(Z| UTC|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?"
)
_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
_USUAL: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-5][0-9]$"
_FIRST: Final = datetime(1, 1, 1)  # noqa: DTZ001  # naive UTC
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # naive UTC
_CENTURY_ENDS: Final = 69  # %y: 69 to 99 are of the 20th century, as strptime has it
_HOURS_ALONE: Final = 3  # characters of an offset such as +02


class _Read(NamedTuple):
    """A time of one cell: on the clock of its zone, and how far east of UTC that is; None if it does not say."""

    local: datetime
    east: timedelta | None


class _Times(NamedTuple):
    """The times of a column: on the clock, minutes east of UTC (null where not said), and the guard."""

    local: pl.Expr
    east: pl.Expr
    guard: pl.Expr


class _Format(Protocol):
    """One way to write a time; `read` raises ValueError or OverflowError where there is no such time."""

    def read(self, text: str) -> _Read | None:
        """Return the time of a trimmed cell; None if it is not of this format."""

    def times(self, text: pl.Expr) -> _Times:
        """Read trimmed cells."""


class _Iso:
    """`YYYY-MM-DD HH:MM[:SS[.ffffff]]` and an offset, as docs/contract.md says."""

    def read(self, text: str) -> _Read | None:
        found = _ISO.fullmatch(text)
        if found is None:
            return None
        year, month, day, hour, minute, second, fraction = found.groups(default="0")[:7]
        clock = (int(hour), int(minute), int(second), int(fraction.ljust(6, "0")))
        return _Read(datetime(int(year), int(month), int(day), *clock), _offset(found[8]))  # noqa: DTZ001

    def times(self, text: pl.Expr) -> _Times:
        zone = text.str.slice(16).str.extract("(Z| UTC|[+-].*)$")  # of what follows the minute
        length = text.str.len_bytes().cast(pl.Int64) - zone.fill_null("").str.len_bytes()
        local = text.str.slice(0, length)
        second, fraction = local.str.slice(17, 2).str.pad_start(2, "0"), local.str.slice(20).str.pad_end(6, "0")
        parts = (local.str.head(10), pl.lit(" "), local.str.slice(11, 5), pl.lit(":"), second)
        start = pl.concat_str(*parts).str.to_datetime(_FORMAT, time_unit="us", strict=False)
        guard = text.str.contains(f"^{_ISO.pattern}$") & (start >= _FIRST)
        return _Times(start + pl.duration(microseconds=whole(fraction)), _offsets(zone), guard)


class _Declared:
    """A format of `strftime` directives."""

    def __init__(self, format_: str) -> None:
        self._regex = to_regex(format_)
        self._pattern = re.compile(self._regex)
        self._has = frozenset(self._pattern.groupindex)

    def read(self, text: str) -> _Read | None:
        found = self._pattern.fullmatch(text)
        if found is None:
            return None
        part = {name: value for name, value in found.groupdict().items() if value is not None}
        year = int(part["Y"]) if "Y" in part else _year(int(part["y"]))
        month = int(part["m"]) if "m" in part else MONTHS.index(part["b"][:3].lower()) + 1
        hour = int(part.get("H", "0"))
        if "I" in part:
            hour = int(part["I"])
            if not 1 <= hour <= 12:  # hours of half a day
                raise ValueError
            hour = hour % 12 + 12 * (part["p"].lower() == "pm")
        clock = (hour, int(part.get("M", "0")), int(part.get("S", "0")), int(part.get("f", "0").ljust(6, "0")))
        return _Read(datetime(year, month, int(part["d"]), *clock), _offset(part.get("z")))  # noqa: DTZ001

    def times(self, text: pl.Expr) -> _Times:
        groups = text.str.extract_groups(f"^(?:{self._regex})$")

        def part(name: str, default: str = "0") -> pl.Expr:
            return groups.struct.field(name) if name in self._has else pl.lit(default)

        guard = text.str.contains(f"^(?:{self._regex})$")
        year = part("Y")
        if "y" in self._has:
            short = whole(part("y"))
            year = (short + pl.when(short < _CENTURY_ENDS).then(2000).otherwise(1900)).cast(pl.String)
        month = part("m")
        if "b" in self._has:
            numbers = [str(number) for number in range(1, 13)]
            month = part("b").str.head(3).str.to_lowercase().replace_strict(list(MONTHS), numbers, default=None)
        hour = part("H")
        if "I" in self._has:
            half = whole(part("I"))
            guard &= half.is_between(1, 12)
            hour = (half % 12 + pl.when(part("p").str.to_lowercase() == "pm").then(12).otherwise(0)).cast(pl.String)
        fields = (
            (year, 4, ""),
            (month, 2, "-"),
            (part("d"), 2, "-"),
            (hour, 2, " "),
            (part("M"), 2, ":"),
            (part("S"), 2, ":"),
        )
        padded = [piece for field, width, mark in fields for piece in (pl.lit(mark), field.str.pad_start(width, "0"))]
        start = pl.concat_str(*padded).str.to_datetime(_FORMAT, time_unit="us", strict=False)
        fraction = pl.duration(microseconds=whole(part("f").str.pad_end(6, "0")))
        zone = groups.struct.field("z") if "z" in self._has else pl.lit(None, pl.String)
        return _Times(start + fraction, _offsets(zone), guard & (start >= _FIRST))


class _Epoch:
    """Seconds or milliseconds since 1970 in UTC, perhaps with a fraction."""

    def __init__(self, microseconds: int) -> None:
        self._unit = microseconds
        self._digits = len(str(microseconds)) - 1  # of a fraction
        self._regex = f"(-?)([0-9]{{1,{18 - self._digits}}})(?:\\.([0-9]{{1,{self._digits}}}))?"
        self._pattern = re.compile(self._regex)

    def read(self, text: str) -> _Read | None:
        found = self._pattern.fullmatch(text)
        if found is None:
            return None
        microseconds = int(found[2]) * self._unit + int((found[3] or "0").ljust(self._digits, "0"))
        return _Read(_EPOCH + timedelta(microseconds=-microseconds if found[1] else microseconds), timedelta())

    def times(self, text: pl.Expr) -> _Times:
        groups = text.str.extract_groups(f"^{self._regex}$")
        sign, units, fraction = (groups.struct.field(str(number)) for number in (1, 2, 3))
        microseconds = whole(units) * self._unit + whole(fraction.fill_null("0").str.pad_end(self._digits, "0"))
        microseconds = pl.when(sign == "-").then(-microseconds).otherwise(microseconds)
        return _Times(microseconds.cast(pl.Datetime("us")), pl.lit(0), text.str.contains(f"^{self._regex}$"))


class _Date:
    """A day."""

    dtype = pl.Date()

    def __init__(self, column: DateColumn) -> None:
        self._formats = [_Declared(format_) for format_ in column.formats]

    def read(self, cell: str) -> date:
        return _first(self._formats, trimmed(cell), "not_a_date").local.date()

    def usual(self, cell: pl.Expr) -> Typed:
        times = [format_.times(stripped(cell)) for format_ in self._formats]
        value = pl.coalesce(pl.when(time.guard).then(time.local) for time in times)
        return Typed(value.cast(pl.Date), pl.lit(value=True))

    unusual = usual

    def holds(self, value: pl.Expr) -> pl.Expr:
        return value.is_not_null()


class _Timestamp:
    """An instant in UTC, of the years 1 to 9999, not after `latest`."""

    dtype = pl.Datetime("us")

    def __init__(self, column: TimestampColumn, latest: datetime | None) -> None:
        self._latest = latest or datetime.max  # noqa: DTZ901  # naive UTC
        self._zone = column.zone
        self._formats: list[_Format] = [
            _Iso() if name == "iso" else _Epoch(EPOCHS[name]) if name in EPOCHS else _Declared(name)
            for name in column.formats
        ]
        self._plain = column.formats == ["iso"] and column.zone == "UTC"

    def read(self, cell: str) -> datetime:
        local, east = _first(self._formats, trimmed(cell), "not_a_timestamp")
        try:
            if east is not None or self._zone == "UTC":
                return local - (east or timedelta())
            # Asked of Polars, so that one table of time zones decides.
            value = pl.select(self._to_utc(pl.lit(local))).item()
            if value is None:
                raise BrokenRuleError("nonexistent_time")
            if not isinstance(value, datetime):
                raise BrokenRuleError("not_a_timestamp")
        except OverflowError:
            raise BrokenRuleError("not_a_timestamp") from None
        return value

    def usual(self, cell: pl.Expr) -> Typed:
        if not self._plain:
            return self.unusual(cell)
        return Typed(cell.str.to_datetime(_FORMAT, time_unit="us", strict=False), cell.str.contains(_USUAL))

    def unusual(self, cell: pl.Expr) -> Typed:
        times = [format_.times(stripped(cell)) for format_ in self._formats]
        if len(times) == 1:
            return Typed(self._instant(times[0]), times[0].guard)
        value = pl.coalesce(pl.when(time.guard).then(self._instant(time)) for time in times)
        return Typed(value, pl.lit(value=True))

    def _instant(self, time: _Times) -> pl.Expr:
        said = time.local - pl.duration(minutes=time.east.fill_null(0))
        if self._zone == "UTC":
            return said
        return pl.when(time.east.is_null()).then(self._to_utc(time.local)).otherwise(said)

    def _to_utc(self, local: pl.Expr) -> pl.Expr:
        """Read a clock in the zone: an hour that comes twice is the first, one that is left out is null."""
        zoned = local.dt.replace_time_zone(self._zone, ambiguous="earliest", non_existent="null")
        return zoned.dt.convert_time_zone("UTC").dt.replace_time_zone(None)

    def holds(self, value: pl.Expr) -> pl.Expr:
        return value.is_between(_FIRST, self._latest)


def rule_of_time(column: DateColumn | TimestampColumn, latest: datetime | None) -> CellRule:
    """Return the rule of a column of dates or timestamps; `latest` is the greatest instant, naive, in UTC."""
    return _Date(column) if isinstance(column, DateColumn) else _Timestamp(column, latest)


def _first(formats: list[_Declared] | list[_Format], text: str, code: str) -> _Read:
    """Read a text by the first format that fits.

    Raises:
        BrokenRuleError: with the code, if none fits.
    """
    for format_ in formats:
        try:
            if (found := format_.read(text)) is not None:
                return found
        except (ValueError, OverflowError):
            continue
    raise BrokenRuleError(code)


def _year(short: int) -> int:
    return short + (2000 if short < _CENTURY_ENDS else 1900)


def _offset(zone: str | None) -> timedelta | None:
    if zone is None:
        return None
    if zone[0] not in "+-":
        return timedelta()
    east = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:].lstrip(":") or "0"))
    return -east if zone[0] == "-" else east


def _offsets(zone: pl.Expr) -> pl.Expr:
    """Read offsets such as `Z`, `+02`, `+0200` and `+02:00` as minutes east of UTC; null where there is none."""
    hours = whole(zone.str.slice(1, 2)).fill_null(0)
    minutes = pl.when(zone.str.len_bytes() > _HOURS_ALONE).then(whole(zone.str.tail(2))).otherwise(0).fill_null(0)
    east = hours * 60 + minutes
    return pl.when(zone.is_null()).then(None).when(zone.str.head(1) == "-").then(-east).otherwise(east)
