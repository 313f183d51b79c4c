"""Faults: which snapshots go wrong, how often, and what is uploaded of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from random import Random

from minidata.errors import PermanentError
from simulator.snapshot import Row, cells, snapshot_key, to_csv
from simulator.spoiled import CONTENT_FAULTS, MALFORMED

# docs/simulator.md says what each does and what the platform should make of it.
FAULTS = ("late", "duplicate", "out_of_order", "malformed", "huge", *CONTENT_FAULTS)
PRESETS: Mapping[str, Mapping[str, float]] = {
    "none": {},
    "some": dict.fromkeys(FAULTS, 0.02) | {"malformed": 0.04, "bad_rows": 0.05, "huge": 0.005},
}
HUGE_INSTANTS = 120  # instants in a huge file, five seconds apart

Faults = Mapping[str, float]  # share of the snapshots that have each fault; a missing one is 0
NO_FAULTS: Faults = {}


def pick(faults: Faults, draw: Random) -> str | None:
    """Draw the fault of one snapshot, or none."""
    shares = [faults.get(fault, 0.0) for fault in FAULTS]  # in this order, so that a seed means one thing
    return draw.choices([*FAULTS, None], [*shares, max(0.0, 1 - sum(shares))])[0]


def parse_faults(text: str) -> Faults:
    """Read shares such as `malformed=0.1,late=0.05`, or `some`, or `some,huge=0`; later ones win.

    Raises:
        PermanentError: if a fault is unknown, a rate is no number in 0 … 1, or the rates exceed 1 together.
    """
    rates: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, rate = (piece.strip() for piece in part.partition("="))
        if not equals and name in PRESETS:
            rates = dict(PRESETS[name])
            continue
        if name not in FAULTS:
            close = get_close_matches(name, [*FAULTS, *PRESETS], n=1)
            guess = f" Did you mean `{close[0]}`?" if close else ""
            raise PermanentError(
                f"There is no fault `{name}`.{guess} Faults: {', '.join(FAULTS)}. Presets: {', '.join(PRESETS)}."
            )
        rates[name] = _rate(name, rate)
    if (total := sum(rates.values())) > 1 + 1e-9:
        raise PermanentError(
            f"The rates of the faults sum to {total:g}, but a snapshot has one fault at most. Lower them to a sum of 1."
        )
    return rates


def _rate(name: str, text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise PermanentError(
            f"The fault `{name}` needs a rate in 0 … 1, not `{text}`. For one snapshot in twenty, write `{name}=0.05`."
        )
    return rate


@dataclass(frozen=True)
class Delivery:
    """Bytes to upload."""

    key: str  # of the object
    data: bytes  # its bytes
    rows: int  # how many rows it was written from; 0 for an empty file
    fault: str | None = None  # what is wrong with it, or None
    hold: int = 0  # how many snapshots after its own time it is uploaded


def deliver(
    rows: list[Row],
    sequence: int,
    taken: datetime,
    *,
    earlier: Callable[[datetime], list[Row]],
    faults: Faults = NO_FAULTS,
    seed: int = 1,
) -> list[Delivery]:
    """Write a snapshot, with the fault that its number draws.

    The chance depends on the seed and the number alone: a restarted feed continues as if it had not stopped.

    Args:
        rows: of the snapshot.
        sequence: its number in the feed, from 0.
        taken: its instant.
        earlier: returns the rows of an earlier instant.
        faults: what goes wrong, and how often.
        seed: of the chance.
    """
    draw = Random(f"{seed}/faults/{sequence}")
    good = Delivery(snapshot_key(taken, sequence), to_csv(cells(rows)), len(rows))
    fault = pick(faults, draw)
    if fault is None:
        return [good]
    suffix, data, hold = ".csv", good.data, 0
    if fault == "late":
        hold = draw.randint(4, 40)
    elif fault == "out_of_order":
        hold = 1
    elif fault == "duplicate":
        suffix = draw.choice((".csv", "-copy.csv"))
    elif fault == "huge":
        before = (taken - timedelta(seconds=5 * step) for step in reversed(range(1, HUGE_INSTANTS)))
        rows = [row for instant in before for row in earlier(instant)] + rows
        data = to_csv(cells(rows))
    else:
        kind = MALFORMED[draw.choice(list(MALFORMED))] if fault == "malformed" else CONTENT_FAULTS[fault]
        suffix, data = kind.suffix, kind.make(rows, draw)
    count = 0 if fault == "empty" else len(rows)
    bad = Delivery(snapshot_key(taken, sequence, suffix), data, count, fault, hold)
    return [good, bad] if fault == "duplicate" else [bad]


class Outbox:
    """Holds deliveries back by as many snapshots as they ask for."""

    def __init__(self) -> None:
        self._held: list[tuple[float, Delivery]] = []

    def post(self, sequence: float, deliveries: Iterable[Delivery] = ()) -> list[Delivery]:
        """Take the deliveries of one snapshot; return all that are due, the snapshot's own first.

        At the end, `math.inf` in place of a sequence number returns all that is still held, in order of time.
        """
        held = [*((sequence + delivery.hold, delivery) for delivery in deliveries), *self._held]
        self._held = [(when, delivery) for when, delivery in held if when > sequence]
        return [delivery for when, delivery in sorted(held, key=lambda pair: pair[0]) if when <= sequence]
