"""What a declaration can say of a column: its type and its rules."""

from decimal import Decimal
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from minidata.dataset.formats import check_date_format, check_pattern, check_timestamp_format

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
SMALLEST, LARGEST = -(2**63), 2**63 - 1


class Model(BaseModel):
    """A part of a declaration: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _Column(Model):
    """What every column can say.

    Attributes:
        optional: an empty cell is null, and a file may lack the column.
        aliases: other names that a header may use for it.
        null_words: cells that count as empty, such as `NA` or `-`.
        description: what the column means, for people.
        type: decides what a cell must be, and the type in the tables.
    """

    optional: bool = False
    aliases: list[str] = []
    null_words: list[str] = []
    description: str = ""


class TextColumn(_Column):
    """Text in code points, never normalised; `trimmed` removes blanks and line ends at both ends.

    A text in a key has at most 255 characters unless `max_length` says otherwise.

    Attributes:
        trimmed: without blanks and line ends at both ends.
        min_length: least number of characters.
        max_length: greatest number of characters; without it, there is no limit.
        one_of: the only values allowed.
        pattern: a regular expression that the whole text must match.
    """

    type: Literal["text"]
    trimmed: bool = True
    min_length: int = Field(0, ge=0)
    max_length: int | None = Field(None, gt=0)
    one_of: list[str] = []
    pattern: Annotated[str, AfterValidator(check_pattern)] | None = None


class IntegerColumn(_Column):
    """A whole number of 64 bits.

    Attributes:
        min: least value.
        max: greatest value.
        one_of: the only values allowed.
    """

    type: Literal["integer"]
    min: int = Field(SMALLEST, ge=SMALLEST, le=LARGEST)
    max: int = Field(LARGEST, ge=SMALLEST, le=LARGEST)
    one_of: list[int] = []

    @model_validator(mode="after")
    def _in_order(self) -> "IntegerColumn":
        if self.min > self.max:
            raise ValueError(f"`min` is {self.min}, and `max` is {self.max}")
        return self


class DecimalColumn(_Column):
    """An exact number.

    Attributes:
        precision: number of digits in all.
        scale: number of digits after the decimal separator.
        min: least value.
        max: greatest value.
    """

    type: Literal["decimal"]
    precision: int = Field(18, ge=1, le=38)
    scale: int = Field(2, ge=0)
    min: Decimal | None = None
    max: Decimal | None = None

    @model_validator(mode="after")
    def _fits(self) -> "DecimalColumn":
        if self.scale > self.precision:
            raise ValueError(f"`scale` is {self.scale}, and `precision` only {self.precision}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"`min` is {self.min}, and `max` is {self.max}")
        return self


class BooleanColumn(_Column):
    """True or false, in words that are compared without regard to case.

    Attributes:
        true_words: the cells that mean true.
        false_words: the cells that mean false.
    """

    type: Literal["boolean"]
    true_words: list[str] = Field(["true", "t", "yes", "y", "1"], min_length=1)
    false_words: list[str] = Field(["false", "f", "no", "n", "0"], min_length=1)


class DateColumn(_Column):
    """A day.

    Attributes:
        formats: tried in order; directives of `strftime`.
    """

    type: Literal["date"]
    formats: list[Annotated[str, AfterValidator(check_date_format)]] = Field(["%Y-%m-%d"], min_length=1)


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"`{name}` is no time zone; use a name such as Europe/Berlin")
    return name


class TimestampColumn(_Column):
    """An instant in UTC, to the microsecond.

    Attributes:
        formats: tried in order: `iso` (see docs/contract.md), directives of `strftime`, `epoch_seconds` or
            `epoch_milliseconds`.
        zone: of the times without an offset.
        max_ahead_hours: the most by which it may be later than the arrival of its file.
        not_before: another timestamp of the row that it must not precede.
    """

    type: Literal["timestamp"]
    formats: list[Annotated[str, AfterValidator(check_timestamp_format)]] = Field(["iso"], min_length=1)
    zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    max_ahead_hours: float | None = Field(None, ge=0)
    not_before: Identifier | None = None


Column = Annotated[
    TextColumn | IntegerColumn | DecimalColumn | BooleanColumn | DateColumn | TimestampColumn,
    Field(discriminator="type"),
]
