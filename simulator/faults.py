"""Dial-a-fault: which share of the snapshots goes wrong, and how."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType

from minidata.errors import PermanentError

FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "late": "the snapshot is uploaded 4 to 40 snapshots after its time",
        "duplicate": "the same bytes are uploaded twice, under the same or another key",
        "out_of_order": "the snapshot changes places with the next one",
        "drifted": "the columns stand in another order, or there is one more",
        "malformed": "the file is not a snapshot any more, in one of many ways; it will be quarantined",
        "bad_rows": "a few rows, at most 5 %, break a rule; they will be rejected",
        "huge": "the snapshot comes with all counts of the minutes before: 120 times its rows",
        "empty": "the file holds nothing",
        "bom": "the file begins with a byte order mark, as spreadsheets write it",
        "skewed_clock": "every count is dated decades ahead; the file will be quarantined",
        "gzip": "the snapshot is compressed, in one or two members (.csv.gz)",
        "zstd": "the snapshot is compressed, in one or two frames (.csv.zst)",
    }
)


@dataclass(frozen=True)
class Faults:
    """The share of snapshots that each fault befalls; a snapshot suffers one at most.

    Attributes:
        rates: shares by name, each in 0 … 1, together at most 1; one that is not there is 0.
    """

    rates: Mapping[str, float] = field(default_factory=dict)

    def pick(self, draw: random.Random) -> str | None:
        """Draw the fault of one snapshot, or none."""
        chance = draw.random()
        for fault in FAULTS:  # in this order whatever the order of the dials, so that a seed means one thing
            chance -= self.rates.get(fault, 0.0)
            if chance < 0:
                return fault
        return None


DEFAULT_FAULTS = Faults()
_SOME = MappingProxyType(dict.fromkeys(FAULTS, 0.02) | {"malformed": 0.04, "bad_rows": 0.05, "huge": 0.005})
PRESETS: Mapping[str, Mapping[str, float]] = MappingProxyType({"none": MappingProxyType({}), "some": _SOME})


def parse_faults(text: str) -> Faults:
    """Read dials such as `malformed=0.1,late=0.05`, or `some`, or `some,huge=0`; later ones win.

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
                f"There is no fault `{name}`.{guess} There are: {', '.join(FAULTS)}; and the presets "
                f"{', '.join(PRESETS)}."
            )
        rates[name] = _rate(name, rate)
    if (total := sum(rates.values())) > 1 + 1e-9:
        raise PermanentError(
            f"The rates of the faults sum to {total:g}, but a snapshot suffers one at most. Lower them to 1 together."
        )
    return Faults(MappingProxyType(rates))


def _rate(name: str, text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise PermanentError(
            f"The fault `{name}` needs a rate in 0 … 1, not `{text}`: write for example `{name}=0.05`, which is one "
            "snapshot in twenty."
        )
    return rate
