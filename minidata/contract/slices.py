"""A slice of a CSV: some whole records and what is known of them."""

from dataclasses import dataclass

import numpy as np

from minidata.contract.scan import Flags, Positions


@dataclass(frozen=True)
class Slice:
    """Some records, one after the other.

    Attributes:
        data: the bytes, every record with its line end.
        lines: the physical line on which each record starts, from 1.
        starts: where each record starts in `data`.
        stops: where each record's last cell ends, before its line end.
        ends: the position of each record's LF.
        cells: the number of cells of each record; 0 for an empty line.
        controls: whether each record holds a control character.
        literals: positions of the quotes that stand in unquoted cells.
    """

    data: bytes
    lines: Positions
    starts: Positions
    stops: Positions
    ends: Positions
    cells: Positions
    controls: Flags
    literals: Positions

    def record(self, number: int) -> bytes:
        """Return a record untouched, without its line end."""
        return self.data[self.starts[number] : self.stops[number]]

    def clean(self, keep: Flags) -> bytes:
        """Return the records to keep as a plain CSV: each ends with LF, and a literal quote is written as U+0001.

        Args:
            keep: which records; none of them may hold a control character.
        """
        plain = not self.literals.size and np.array_equal(self.stops, self.ends)
        if plain and keep.all():
            return self.data
        data = np.frombuffer(self.data, np.uint8)
        if self.literals.size:
            data = data.copy()
            data[self.literals] = 1
        kept = np.repeat(keep, self.ends + 1 - self.starts)
        kept[self.stops[self.stops < self.ends]] = False
        return data[kept].tobytes()
